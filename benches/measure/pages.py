"""Time of pages as a client on the same machine sees it, which is more than the server's own. Run by benches/pages.sh."""

import argparse
import http.client
import os
import re
import statistics
import subprocess
import tempfile
import time
import urllib.parse

from process import Gates, Server, configure, free_port

PASSWORD = "correct horse battery"
LIMIT = 5
OPEN = ["/login", "/login/lost-password", "/login/reset-password?token=none", "/setup?token=none", "/nothing"]
SIGNED_IN = ["/account", "/account/profile", "/account/password", "/account/sessions", "/account/email", "/logout"]
WARM = 20


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestibule", help="the binary")
    parser.add_argument("--requests", type=int, default=500, help="for each page")
    return parser.parse_args()


class Browser:
    """One connection that is kept, and the cookies."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.cookies = {}

    def asks(self, method, path, body=None, headers=None):
        """One request; status, headers and text."""
        headers = dict(headers or {}, Host="localhost")
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers, text

    def signs_in(self):
        _, _, page = self.asks("GET", "/login")
        token = re.search(rb'name="csrf" value="([^"]+)"', page)[1].decode()
        body = urllib.parse.urlencode({"csrf": token, "username": "anna", "password": PASSWORD})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, _ = self.asks("POST", "/login", body, kind)
        if status != 303 or headers["Location"] != "/account":
            raise SystemExit(f"nobody was signed in: {status} {headers['Location']}")


def median(browser, path, requests):
    """Milliseconds; the answer must be a page, and the same kind of page each time."""
    times, first = [], None
    for number in range(WARM + requests):
        began = time.perf_counter()
        status, headers, text = browser.asks("GET", path)
        took = (time.perf_counter() - began) * 1000
        first = first or status
        if status != first or status not in (200, 404) or not text.startswith(b"<!doctype html>"):
            raise SystemExit(f"{path}: {status}, {text[:60]!r}")
        if headers["Cache-Control"] != "no-store":
            raise SystemExit(f"{path}: Cache-Control is {headers['Cache-Control']}")
        if number >= WARM:
            times.append(took)
    return statistics.median(times), statistics.quantiles(times, n=100)[98], len(text)


def main():
    args = arguments()
    gates, port = Gates(), free_port()
    with tempfile.TemporaryDirectory(prefix="vestibule-pages-") as folder:
        # Links that nobody has are counted; here the same one is asked for again and again.
        configuration = configure(folder, port, "address_failures = 0\nnetwork_failures = 0")
        create = ["account", "create", "--username", "anna", "--email", "anna@example.org", "--password-stdin"]
        made = [args.vestibule, "--config", configuration, *create]
        subprocess.run(made, input=PASSWORD, text=True, stdout=subprocess.DEVNULL, check=True)
        with open(os.path.join(folder, "server.log"), "w", encoding="utf-8") as log:
            server = Server([args.vestibule, "serve", "--config", configuration], port, {0, 1}, log)
            server.first_answer("/health")
            browser = Browser(port)
            for paths in OPEN, SIGNED_IN:
                for path in paths:
                    middle, worst, size = median(browser, path, args.requests)
                    gates.at_most(f"{path} ({size} bytes; p99 {worst:.2f} ms), p50", middle, LIMIT, " ms")
                if paths is OPEN:
                    browser.signs_in()
            server.stop()
    gates.end()


main()
