"""Processes under measurement: starting, pinning, CPU time, memory, first answer. Linux only."""

import http.client
import os
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process pinned to the given CPUs; its output goes to a file."""

    def __init__(self, command, port, cpus, log, cwd=None):
        self.port = port
        self.log = log
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )

    def first_answer(self, path, limit=10.0):
        """Seconds from the start until `path` is answered with 200."""
        while time.perf_counter() - self.started < limit:
            if self.process.poll() is not None:
                self.fail(f"the server ended with {self.process.returncode} before it answered")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.0005)
        self.fail(f"no answer from port {self.port} within {limit} s")

    def fail(self, why):
        """Ends the measurement with the end of the server's log."""
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            raise SystemExit(f"{why}; the end of its log:\n{''.join(log.readlines()[-20:])}")

    def cpu(self):
        """CPU seconds of the process so far, user and system."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self, field="VmRSS"):
        """Resident memory in MiB; `VmHWM` for the peak."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024
        raise SystemExit(f"no {field} in /proc")

    def forget_peak(self):
        """Lets the peak start anew at the present memory."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")

    def stop(self):
        """Ends the process as an operator would."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise SystemExit("the server did not end within 30 s of SIGTERM")


class Gates:
    """What must hold. Prints each as it is checked; `end` exits with 1 when one was missed."""

    def __init__(self):
        self.missed = []

    def at_most(self, what, value, limit, unit=""):
        self._check(what, value, value <= limit, f"<= {limit}", unit)

    def at_least(self, what, value, limit, unit=""):
        self._check(what, value, value >= limit, f">= {limit}", unit)

    def _check(self, what, value, held, limit, unit):
        print(f"{'ok    ' if held else 'MISSED'}  {what}: {value:.2f}{unit} (must be {limit}{unit})")
        if not held:
            self.missed.append(what)

    def end(self):
        print()
        if self.missed:
            print(f"{len(self.missed)} gate(s) missed: {', '.join(self.missed)}")
            raise SystemExit(1)
        print("all gates held")


CONFIGURATION = """\
public_url = "http://localhost:{port}"
data_dir = "{data}"
# Only for measuring: so that the seeder can seal cookies.
secret_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

[server]
listen = "127.0.0.1:{port}"
trusted_proxies = ["127.0.0.1/32"]

[sessions]
max_per_account = 0
{sessions}

# All sign-ins of a measurement come from one address.
[throttle]
{throttle}

[[application]]
slug = "tasks"
name = "Tasks"
hosts = ["tasks.example.org"]
"""


def configure(folder, port, throttle="", sessions=""):
    """Writes a configuration for measuring into `folder` and returns its path."""
    path = os.path.join(folder, "vestibule.toml")
    with open(path, "w", encoding="utf-8") as file:
        data = os.path.join(folder, "data")
        file.write(CONFIGURATION.format(port=port, data=data, throttle=throttle, sessions=sessions))
    return path
