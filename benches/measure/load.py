"""Load from wrk, one thread, keep-alive."""

import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Load:
    """What one run of wrk did."""

    def __init__(self, requests, seconds, refused, broken):
        self.requests, self.seconds, self.refused, self.broken = requests, seconds, refused, broken


def load(port, path, cookies, seconds, name="_vestibule_session", connections=64, cpu=0):
    """Sends the cookies of a file in turn to `path` for some seconds, from one CPU."""
    command = ["taskset", "-c", str(cpu), "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s"]
    command += ["-s", os.path.join(HERE, "cookies.lua"), f"http://127.0.0.1:{port}", "--", cookies, name, path]
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in output.stdout.splitlines():
        if line.startswith("RESULT "):
            requests, microseconds, refused, broken = (int(number) for number in line.split()[1:])
            return Load(requests, microseconds / 1e6, refused, broken)
    raise SystemExit(f"wrk gave no result:\n{output.stdout}{output.stderr}")
