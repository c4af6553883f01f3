# SPDX-License-Identifier: GPL-3.0-or-later
"""
Serves the status page of a snapshot, and status.json. Each answer is a second later than the one
before, by the clock of the snapshot: the rates that the page computes are therefore exact.
"""
import copy
import http.server
import json
import math
import subprocess
import threading

NONCE = "dGVzdHMgb2YgdGhlIHBhZ2U"


def move(snapshot, n):
    """The snapshot, n seconds later."""
    wave = [1 + 0.5 * math.sin(n / 17 + k) + 0.3 * math.sin(n / 5 + 2 * k) for k in range(8)]
    snapshot["uptime"] += n
    for k, service in enumerate(snapshot["services"]):
        if service["state"] != "serving":
            continue
        service["slots"]["open"] = int(service["slots"]["open"] * wave[k])
        service["accepted"] += 340 * n
        service["bytes_in"] += int(sum(60000 * (1 + 0.5 * math.sin(i / 17 + k)) for i in range(n)))
        service["bytes_out"] += int(sum(90000 * (1 + 0.6 * math.sin(i / 11 + k)) for i in range(n)))
        for i in range(n):
            for kind, seconds in ("duration", 0.03), ("answer", 0.004):
                if (service.get("times") or {}).get(kind):
                    service["times"][kind]["count"] += 10
                    service["times"][kind]["sum"] += 10 * seconds * (1 + 0.4 * math.sin(i / 13 + k))
    snapshot["totals"]["open"] = sum(s["slots"]["open"] for s in snapshot["services"])
    for key in "accepted", "bytes_in", "bytes_out":
        snapshot["totals"][key] = sum(s[key] for s in snapshot["services"])
    return snapshot


class Server:
    """What it answers is set by its members, from any thread."""

    def __init__(self, render, snapshot):
        self.render = render
        self.snapshot = snapshot
        self.changed = threading.Condition()
        self.moves = True       # a second for each answer
        self.change = None      # is given each snapshot that is sent
        self.holds = False      # does not answer
        self.fails = False      # answers with an error
        self.n = 0              # answers so far
        self.asked = 0          # requests for status.json
        self.pages = 0          # requests for the page
        self.at_once = 0
        self.at_once_max = 0
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/" % self.http.server_address[1]

    def now(self):
        snapshot = copy.deepcopy(self.snapshot)
        if self.moves:
            move(snapshot, self.n)
        if self.change:
            self.change(snapshot)
        return snapshot

    def set(self, **members):
        with self.changed:
            for name, value in members.items():
                setattr(self, name, value)
            self.changed.notify_all()

    def wait_for(self, condition):
        with self.changed:
            self.changed.wait_for(condition)

    def page(self):
        with self.changed:
            self.pages += 1
            self.changed.notify_all()
            text = json.dumps(self.now()).encode()
        policy, document = subprocess.run([self.render, NONCE], input=text, stdout=subprocess.PIPE,
                                          check=True).stdout.split(b"\n", 1)
        return 200, "text/html; charset=utf-8", document, policy.decode()

    def status(self):
        with self.changed:
            self.asked += 1
            self.at_once += 1
            self.at_once_max = max(self.at_once, self.at_once_max)
            self.changed.notify_all()
            self.changed.wait_for(lambda: not self.holds)
            self.n += 1
            self.at_once -= 1
            return 500 if self.fails else 200, "application/json", json.dumps(self.now()).encode(), None

    def handler(server):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                code, kind, body, policy = {"/": server.page, "/status.json": server.status}.get(
                    self.path, lambda: (404, "text/plain", b"", None))()
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                if policy:
                    self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(body)

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass        # the browser has gone away

            def log_message(self, *arguments):
                pass

        return Handler

    def close(self):
        self.set(holds=False)
        self.http.shutdown()
        self.http.server_close()
