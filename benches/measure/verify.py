"""CPU of /verify and whoami against a bare axum handler, memory of 100,000 sessions, start. Run by benches/verify.sh."""

import argparse
import base64
import os
import statistics
import subprocess
import tempfile

from load import load
from process import Gates, Server, configure, free_port

PORT, BARE_PORT = free_port(), free_port()
HOT = 2000


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestibule")
    parser.add_argument("kit", help="folder with the programs of benches/kit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--sessions", type=int, default=100_000)
    return parser.parse_args()


def start_up(args, folder, gates):
    """Start to first answer and idle memory, on an empty directory and then on the one that it left."""
    configuration = configure(folder, PORT)
    times, idle = [], []
    for run in range(6):
        with open(os.path.join(folder, "start.log"), "a", encoding="utf-8") as log:
            server = Server([args.vestibule, "serve", "--config", configuration], PORT, {0, 1}, log)
            times.append(server.first_answer("/health") * 1000)
            idle.append(server.resident())
            server.stop()
        if run == 0:
            print(f"first start, on an empty directory: {times[0]:.1f} ms, {idle[0]:.1f} MiB")
    gates.at_most("start to first answer, median of 5", statistics.median(times[1:]), 100, " ms")
    gates.at_most("idle RSS, median of 5", statistics.median(idle[1:]), 25, " MiB")


def forged(sealed):
    """The same cookie with another ciphertext: right length, right key, wrong tag."""
    raw = bytearray(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    raw[20] ^= 1
    return base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")


def write(path, lines):
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return path


def main():
    args = arguments()
    gates = Gates()
    with tempfile.TemporaryDirectory(prefix="vestibule-verify-") as folder:
        os.mkdir(os.path.join(folder, "empty"))
        start_up(args, os.path.join(folder, "empty"), gates)

        configuration = configure(folder, PORT)
        with open(os.path.join(folder, "start.log"), "w", encoding="utf-8") as log:
            before = Server([args.vestibule, "serve", "--config", configuration], PORT, {1}, log)
            before.first_answer("/health")
            none = before.resident()
            before.stop()
        seeder = [os.path.join(args.kit, "seed"), configuration, str(args.sessions), str(args.sessions // 10)]
        seeded = subprocess.run(seeder, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        every = write(os.path.join(folder, "every"), seeded)
        step = max(1, len(seeded) // HOT)
        valid = write(os.path.join(folder, "valid"), seeded[::step][:HOT])
        bad = write(os.path.join(folder, "forged"), [forged(sealed) for sealed in seeded[::step][:HOT]])

        with open(os.path.join(folder, "server.log"), "w", encoding="utf-8") as log:
            bare = Server([os.path.join(args.kit, "bare_axum"), f"127.0.0.1:{BARE_PORT}"], BARE_PORT, {1}, log)
            bare.first_answer("/verify")
            ours = Server([args.vestibule, "serve", "--config", configuration], PORT, {1}, log)
            ours.first_answer("/health")
            try:
                measure(args, gates, bare, ours, every, valid, bad, none)
            finally:
                bare.stop()
                ours.stop()
        size = os.path.getsize(os.path.join(folder, "server.log"))
        print(f"log written meanwhile: {size / 1024:.0f} KiB; binary: {os.path.getsize(args.vestibule) / 2**20:.1f} MiB")
    gates.end()


def measure(args, gates, bare, ours, every, valid, bad, none):
    started = ours.resident()
    # Every session once, so that all of them are in memory.
    touched = 0
    while touched < args.sessions:
        touched += load(PORT, "/verify", every, 2).requests
    full = ours.resident()
    print(f"RSS: {none:.1f} MiB without sessions, {started:.1f} at the start, {full:.1f} with {args.sessions:,} in memory")
    gates.at_most(f"RSS of {args.sessions:,} sessions", full - none, 60, " MiB")

    # name, server, path, cookies, refused?
    scenarios = [
        ("bare axum", bare, "/verify", valid, False),
        ("/verify, valid", ours, "/verify", valid, False),
        ("/verify, forged", ours, "/verify", bad, True),
        ("whoami", ours, "/api/v1/session", valid, False),
    ]
    cost = {name: [] for name, *_ in scenarios}
    rate = {name: [] for name, *_ in scenarios}
    for server in (bare, ours):
        load(server.port, "/verify", valid, 1)
    for _ in range(args.rounds):
        for name, server, path, cookies, refused in scenarios:
            cpu = server.cpu()
            done = load(server.port, path, cookies, args.seconds)
            cost[name].append((server.cpu() - cpu) / done.requests * 1e6)
            rate[name].append(done.requests / done.seconds)
            wrong = done.requests - done.refused if refused else done.refused
            if done.broken or wrong:
                raise SystemExit(f"{name}: {wrong} wrong answers and {done.broken} broken connections of {done.requests}")

    print(f"\n{'':18} {'CPU µs/request':>24} {'× bare':>8} {'req/s':>10}")
    ratios = {}
    for name, *_ in scenarios:
        ratios[name] = statistics.median(ours / base for ours, base in zip(cost[name], cost["bare axum"]))
        spread = f"{statistics.median(cost[name]):.2f} ({min(cost[name]):.2f}-{max(cost[name]):.2f})"
        print(f"{name:18} {spread:>24} {ratios[name]:8.2f} {statistics.median(rate[name]):10,.0f}")
    print(f"median of {args.rounds} interleaved rounds of {args.seconds} s; servers on CPU 1, wrk on CPU 0\n")
    gates.at_most("/verify with a valid session, CPU against bare", ratios["/verify, valid"], 1.7, "×")
    gates.at_most("/verify with a forged cookie, CPU against bare", ratios["/verify, forged"], 1.2, "×")
    gates.at_most("whoami, CPU against bare", ratios["whoami"], 2.0, "×")
    print(f"RSS after the load: {ours.resident():.1f} MiB")


main()
