"""64 sign-ins at once through the login form, as browsers do them. Run by benches/storm.sh."""

import argparse
import html.parser
import http.client
import os
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse

from process import Gates, Server, configure, free_port

PORT = free_port()
PEOPLE = 64
PASSWORD = "gruener Tisch am Fenster 7"
KIB, PASSES = 19_456, 2


class Form(html.parser.HTMLParser):
    """The hidden fields of the page's login form."""

    def __init__(self):
        super().__init__()
        self.fields = {}

    def handle_starttag(self, tag, attributes):
        attribute = dict(attributes)
        if tag == "input" and attribute.get("type") == "hidden":
            self.fields[attribute["name"]] = attribute.get("value", "")


class Browser:
    """One person's browser: keeps cookies, sends forms."""

    def __init__(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self.cookies = {}

    def send(self, method, path, form=None):
        headers = {"Host": f"localhost:{PORT}", "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://localhost:{PORT}", "Sec-Fetch-Site": "same-origin"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, text

    def opens_login(self):
        status, text = self.send("GET", "/login")
        if status != 200:
            raise SystemExit(f"GET /login answered {status}")
        form = Form()
        form.feed(text)
        self.form = form.fields

    def signs_in(self, username):
        return self.send("POST", "/login", self.form | {"username": username, "password": PASSWORD})[0]


def create_accounts(vestibule, configuration):
    names = [f"person{number}" for number in range(PEOPLE)]
    for name in names:
        command = [vestibule, "account", "create", "--config", configuration, "--username", name]
        command += ["--email", f"{name}@example.org", "--password-stdin"]
        made = subprocess.run(command, input=PASSWORD, text=True, capture_output=True, check=False)
        if made.returncode:
            raise SystemExit(f"{name} could not be made:\n{made.stderr}")
    return names


class Watch(threading.Thread):
    """Asks /verify for one signed-in person every 10 ms, and counts what is not answered with 200."""

    def __init__(self, cookie):
        super().__init__()
        self.cookie, self.over = cookie, threading.Event()
        self.times, self.errors = [], 0

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        headers = {
            "Cookie": f"_vestibule_session={self.cookie}", "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "tasks.example.org", "X-Forwarded-Uri": "/list/7", "X-Forwarded-For": "203.0.113.9",
        }
        while not self.over.wait(0.01):
            start = time.perf_counter()
            try:
                connection.request("GET", "/verify", headers=headers)
                answer = connection.getresponse()
                answer.read()
                self.errors += answer.status != 200
            except (OSError, http.client.HTTPException):
                self.errors += 1
                connection.close()
            self.times.append((time.perf_counter() - start) * 1000)


def storm(names):
    """All at once; returns seconds from the first request to the last answer, and the statuses."""
    browsers = [Browser() for _ in names]
    for browser in browsers:
        browser.opens_login()
    together = threading.Barrier(len(names) + 1)
    statuses = [0] * len(names)

    def sign_in(place):
        together.wait()
        statuses[place] = browsers[place].signs_in(names[place])

    threads = [threading.Thread(target=sign_in, args=(place,)) for place in range(len(names))]
    for thread in threads:
        thread.start()
    together.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, statuses, browsers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestibule")
    parser.add_argument("kit")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    gates = Gates()
    permits = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="vestibule-storm-") as folder:
        configuration = configure(folder, PORT, throttle="account_failures = 0\naddress_failures = 0\nnetwork_failures = 0")
        with open(os.path.join(folder, "server.log"), "w", encoding="utf-8") as log:
            server = Server([args.vestibule, "serve", "--config", configuration], PORT, os.sched_getaffinity(0), log)
            try:
                server.first_answer("/health")
                measure(args, gates, server, permits, create_accounts(args.vestibule, configuration))
            finally:
                server.stop()
    gates.end()


def measure(args, gates, server, permits, names):
    watcher = Browser()
    watcher.opens_login()
    watcher.signs_in(names[0])
    cookie = watcher.cookies.get("_vestibule_session")
    if cookie is None:
        raise SystemExit("the first sign-in gave no session cookie")
    time.sleep(12)  # The hasher gives its memory back after ten idle seconds: the rise below is then the whole of it.
    quiet = server.resident()
    server.forget_peak()
    watch = Watch(cookie)
    watch.start()
    ratios, rates = [], []
    try:
        for _ in range(args.rounds):
            library = [os.path.join(args.kit, "argon2_rate"), str(permits), str(PEOPLE), str(KIB), str(PASSES)]
            own = float(subprocess.run(library, capture_output=True, text=True, check=True).stdout)
            seconds, statuses, _ = storm(names)
            wrong = [status for status in statuses if status != 303]
            if wrong:
                raise SystemExit(f"{len(wrong)} of {len(names)} sign-ins were not answered with 303: {sorted(set(wrong))}")
            rates.append(len(names) / seconds)
            ratios.append(rates[-1] / own)
            print(f"{rates[-1]:.1f} sign-ins/s, the library alone {own:.1f} hashes/s, ratio {ratios[-1]:.2f}")
    finally:
        watch.over.set()
        watch.join()
    peak = server.resident("VmHWM")
    print(f"RSS {quiet:.1f} MiB before, {peak:.1f} at the peak, {server.resident():.1f} after")
    print(f"/verify meanwhile: {len(watch.times)} requests, median {statistics.median(watch.times):.1f} ms, longest {max(watch.times):.0f} ms\n")
    gates.at_most("RSS rise", peak - quiet, permits * 19 + 20, " MiB")
    gates.at_least("sign-ins per second against the library's own rate", statistics.median(ratios), 0.85, "×")
    gates.at_most("/verify without an answer of 200", watch.errors, 0)


main()
