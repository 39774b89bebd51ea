"""Sessions in Redis: CPU of /verify and whoami with that of Redis counted in, hot and cold, against a bare axum handler;
what Redis was asked meanwhile; memory of 100,000 sessions in Redis. Run by benches/verify.sh --redis."""

import argparse
import os
import statistics
import subprocess
import tempfile

from load import load
from process import Gates, Server, configure, free_port

PORT, BARE_PORT, REDIS_PORT = free_port(), free_port(), free_port()
HOT = 2000
# What keeps a connection and asks for numbers, as opposed to what is asked about sessions.
ASIDE = {"ping", "info", "config|resetstat", "command", "command|docs", "hello", "role", "client|tracking", "client|setinfo"}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestibule")
    parser.add_argument("kit", help="folder with the programs of benches/kit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--sessions", type=int, default=100_000)
    return parser.parse_args()


class Redis(Server):
    """A Redis that keeps everything as docs/operate/redis.md says, on the servers' CPU."""

    def __init__(self, folder, log):
        os.mkdir(folder)
        command = ["redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--dir", folder]
        command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        super().__init__(command, REDIS_PORT, {1}, log)
        while "PONG" not in self.ask("PING"):
            if self.process.poll() is not None:
                self.fail("Redis ended")

    def ask(self, *words):
        command = ["redis-cli", "-p", str(REDIS_PORT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def used(self):
        """`used_memory` in MiB."""
        return int(self.ask("INFO", "memory").split("used_memory:")[1].split()[0]) / 2**20

    def forget_counts(self):
        self.ask("CONFIG", "RESETSTAT")

    def asked(self):
        """How often each command was run since `forget_counts`, aside from what keeps the connection."""
        counts = {}
        for line in self.ask("INFO", "commandstats").splitlines():
            if line.startswith("cmdstat_"):
                name, numbers = line[len("cmdstat_"):].split(":")
                if name not in ASIDE:
                    counts[name] = int(numbers.split(",")[0].split("=")[1])
        return counts


def write(path, lines):
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return path


def main():
    args = arguments()
    gates = Gates()
    with tempfile.TemporaryDirectory(prefix="vestibule-redis-") as folder:
        with open(os.path.join(folder, "server.log"), "w", encoding="utf-8") as log:
            redis = Redis(os.path.join(folder, "redis"), log)
            try:
                run(args, gates, folder, redis, log)
            finally:
                redis.stop()
    gates.end()


def run(args, gates, folder, redis, log):
    sessions = f'store = "redis"\nredis_url = "redis://127.0.0.1:{REDIS_PORT}"'
    configuration = configure(folder, PORT, sessions=sessions)

    def start():
        server = Server([args.vestibule, "serve", "--config", configuration], PORT, {1}, log)
        server.first_answer("/health")
        return server

    start().stop()
    empty = redis.used()
    accounts = max(1, args.sessions // 10)
    seeder = [os.path.join(args.kit, "seed"), configuration, str(args.sessions), str(accounts)]
    seeded = subprocess.run(seeder, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    gates.at_most(f"used_memory of {args.sessions:,} sessions", redis.used() - empty, 45, " MiB")
    # Sessions go round the accounts: the first of each makes their accounts known, and leaves all others cold.
    first = write(os.path.join(folder, "first"), seeded[:accounts])
    others = write(os.path.join(folder, "others"), seeded[accounts:])
    hot = write(os.path.join(folder, "hot"), seeded[:: max(1, len(seeded) // HOT)][:HOT])

    bare = Server([os.path.join(args.kit, "bare_axum"), f"127.0.0.1:{BARE_PORT}"], BARE_PORT, {1}, log)
    bare.first_answer("/verify")
    load(BARE_PORT, "/verify", hot, 1)
    cost = {"bare axum": [], "/verify, hot": [], "whoami, hot": [], "/verify, cold": []}
    trips = {name: [] for name in cost}

    def measured(name, server, path, cookies, seconds):
        redis.forget_counts()
        cpu = server.cpu() + (redis.cpu() if server is not bare else 0)
        done = load(server.port, path, cookies, seconds)
        cpu = server.cpu() + (redis.cpu() if server is not bare else 0) - cpu
        if done.broken or done.refused:
            raise SystemExit(f"{name}: {done.refused} wrong answers and {done.broken} broken connections")
        cost[name].append(cpu / done.requests * 1e6)
        asked = redis.asked()
        # `set` is the last request of a session, at most once a minute each.
        others = sum(count for command, count in asked.items() if command not in ("get", "set"))
        trips[name].append((asked.get("get", 0) / done.requests, asked.get("set", 0), others))
        return done

    try:
        for _ in range(args.rounds):
            ours = start()
            try:
                load(PORT, "/verify", first, 2)
                measured("bare axum", bare, "/verify", hot, args.seconds)
                # Short, so that no session is asked about twice.
                done = measured("/verify, cold", ours, "/verify", others, 1)
                if done.requests > len(seeded) - accounts:
                    raise SystemExit("too few sessions for a second of cold ones: --sessions")
                load(PORT, "/verify", hot, 1)
                measured("/verify, hot", ours, "/verify", hot, args.seconds)
                measured("whoami, hot", ours, "/api/v1/session", hot, args.seconds)
            finally:
                ours.stop()
    finally:
        bare.stop()
    report(args, gates, cost, trips)


def report(args, gates, cost, trips):
    print(f"\n{'':16} {'CPU µs/request':>24} {'× bare':>8} {'GET/request':>12} {'last seen':>10} {'others':>8}")
    ratios = {}
    for name, costs in cost.items():
        ratios[name] = statistics.median(ours / base for ours, base in zip(costs, cost["bare axum"]))
        spread = f"{statistics.median(costs):.2f} ({min(costs):.2f}-{max(costs):.2f})"
        gets, seen, others = (max(column) for column in zip(*trips[name]))
        print(f"{name:16} {spread:>24} {ratios[name]:8.2f} {gets:12.4f} {seen:10} {others:8}")
    print(f"median of {args.rounds} rounds; Vestibule, bare axum and Redis on CPU 1, wrk on CPU 0; CPU of Redis counted in\n")
    gates.at_most("/verify, hot, CPU against bare", ratios["/verify, hot"], 1.8, "×")
    gates.at_most("/verify, cold, CPU against bare", ratios["/verify, cold"], 3.0, "×")
    gates.at_most("whoami, hot, CPU against bare", ratios["whoami, hot"], 2.0, "×")
    # None, unless Redis had no turn on the shared CPU for a tenth of a second: then sessions are asked about once.
    gates.at_most("questions to Redis for a hot request", max(get for get, *_ in trips["/verify, hot"]), 0.001)
    # A request that is under way when the load ends was asked about and is not counted.
    gates.at_most("questions to Redis for a cold request", max(get for get, *_ in trips["/verify, cold"]), 1.01)
    for name in ("/verify, hot", "/verify, cold"):
        gates.at_most(f"writes to Redis besides the last requests, {name}", max(other for *_, other in trips[name]), 0)


if __name__ == "__main__":
    main()
