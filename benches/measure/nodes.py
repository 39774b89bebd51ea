"""Two nodes against one. A second node brings as much as the first if a request costs no more CPU when there are two: nodes
are machines of their own, and what they share (Redis, PostgreSQL) is asked nothing for a hot session. So this counts CPU per
request instead of requests per second, which on one machine would only say how its CPUs are shared. Run by benches/nodes.sh."""

import argparse
import os
import statistics
import subprocess
import tempfile
import threading

from load import load
from process import Gates, Server, configure, free_port
import redis as shared

PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/support/postgres_peer.sh")
HOT = 2000


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestibule")
    parser.add_argument("kit", help="folder with the programs of benches/kit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--sessions", type=int, default=20_000)
    return parser.parse_args()


class Postgres:
    """A server in a folder of its own; it ends when its input is closed."""

    def __init__(self):
        self.process = subprocess.Popen(["bash", PEER, "off"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.folder, self.port = self.process.stdout.readline().split()[1:]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def main():
    args = arguments()
    gates = Gates()
    with tempfile.TemporaryDirectory(prefix="vestibule-nodes-") as folder:
        with open(os.path.join(folder, "server.log"), "w", encoding="utf-8") as log:
            postgres, redis = Postgres(), shared.Redis(os.path.join(folder, "redis"), log)
            try:
                run(args, gates, folder, (postgres, redis), log)
            finally:
                redis.stop()
                postgres.stop()
    gates.end()


def node(folder, number, postgres):
    """The configuration and the port of one node."""
    port, own = free_port(), os.path.join(folder, f"node-{number}")
    os.mkdir(own)
    sessions = f'store = "redis"\nredis_url = "redis://127.0.0.1:{shared.REDIS_PORT}"'
    path = configure(own, port, sessions=sessions)
    with open(path, "a", encoding="utf-8") as file:
        url = f"postgres://vestibule@localhost:{postgres.port}/vestibule?host={postgres.folder}"
        file.write(f'\n[database]\nurl = "{url}"\n')
    return path, port


def run(args, gates, folder, stores, log):
    postgres, redis = stores
    nodes = [node(folder, number, postgres) for number in (1, 2)]

    def start(wanted):
        servers = []
        for configuration, port in nodes[:wanted]:
            servers.append(Server([args.vestibule, "serve", "--config", configuration], port, {1}, log))
            servers[-1].first_answer("/health")
        return servers

    for server in start(2):
        server.stop()
    seeder = [os.path.join(args.kit, "seed"), nodes[0][0], str(args.sessions), str(max(1, args.sessions // 10))]
    seeded = subprocess.run(seeder, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    hot = shared.write(os.path.join(folder, "hot"), seeded[:: max(1, len(seeded) // HOT)][:HOT])

    costs, shares = {1: [], 2: []}, {1: [], 2: []}
    for _ in range(args.rounds):
        for wanted in (1, 2):
            servers = start(wanted)
            try:
                for server in servers:
                    load(server.port, "/verify", hot, 1)
                cost, share = measured(servers, redis, hot, args.seconds)
            finally:
                for server in servers:
                    server.stop()
            costs[wanted].append(cost)
            shares[wanted].append(share)
    report(args, gates, costs, shares)


def measured(servers, redis, cookies, seconds):
    """Microseconds of CPU for a request, of the nodes and of Redis; all nodes are asked at once."""
    done = []
    before, aside = sum(server.cpu() for server in servers), redis.cpu()
    asking = [
        threading.Thread(target=lambda port=server.port: done.append(load(port, "/verify", cookies, seconds)))
        for server in servers
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    if len(done) != len(servers) or any(one.refused or one.broken for one in done):
        raise SystemExit("wrong answers or broken connections")
    requests = sum(one.requests for one in done)
    nodes = sum(server.cpu() for server in servers) - before
    return nodes / requests * 1e6, (redis.cpu() - aside) / requests * 1e6


def report(args, gates, costs, shares):
    print(f"\n{'nodes':>6} {'CPU µs/request, nodes':>24} {'of Redis':>10}")
    for wanted, values in costs.items():
        spread = f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"
        print(f"{wanted:6} {spread:>24} {statistics.median(shares[wanted]):10.3f}")
    print(f"median of {args.rounds} rounds; nodes and Redis on CPU 1, wrk on CPU 0\n")
    worth = statistics.median(2 * one / two for one, two in zip(costs[1], costs[2]))
    gates.at_least("two nodes on machines of their own, in nodes", worth, 1.7)
    gates.at_most("CPU of Redis for a hot request against a node's", statistics.median(shares[2]) / statistics.median(costs[2]), 0.1)


main()
