# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of all services: what is sent has to come back."""

import random
import socket
import threading
import time

PATIENCE_S = 90         # a client that waits longer was forgotten
SERVICES = ("echo", "tcp", "cat", "lines", "warm")


class Load:
    """
    Threads that connect, ask and compare. A failure is explained by an excuse for its
    service: an interval in which the walk did something that may cost a connection.
    """

    def __init__(self, daemon, n_clients):
        self.daemon = daemon
        self.served = 0
        self.explained = 0
        self.port = None
        self._failures = []
        self._excuses = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(i,), daemon=True) for i in range(n_clients)]

    def start(self):
        self.port = self.daemon.port("tcp")
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(PATIENCE_S + 10)

    def excuse(self, service):
        """From now until excuse_ends, connections of that service may be lost."""
        row = [service, time.monotonic(), None]
        with self._lock:
            self._excuses.append(row)
        return row

    @staticmethod
    def excuse_ends(row):
        row[2] = time.monotonic()

    def probe(self, service):
        """One client of that service, now. None, or what is wrong."""
        try:
            self._talk(service, random.Random(0))
        except (OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return None

    def unexplained(self):
        """Failures without an excuse: a line for each kind, with the longest wait."""
        kinds = {}
        for service, began, ended, what in self._failures:
            if any(s == service and began <= (to or ended) and since <= ended for s, since, to in self._excuses):
                self.explained += 1
            else:
                kinds.setdefault((service, what), []).append((ended - began, ended))
        now, since = time.time(), time.monotonic()
        return [f"{len(ends)} clients of {service} failed, the last at"
                f" {time.strftime('%H:%M:%S', time.gmtime(now + ends[-1][1] - since))} UTC,"
                f" after at most {max(ends)[0]:.3f} s: {what}"
                for (service, what), ends in kinds.items()]

    def _connect(self, service):
        if service == "tcp":
            return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(PATIENCE_S)
        try:
            client.connect(self.daemon.path(service + ".sock"))
        except OSError:
            client.close()
            raise
        return client

    def _talk(self, service, chance):
        with self._connect(service) as client:
            for _ in range(chance.randint(1, 5)):
                line = bytes(chance.choices(b"abcdefgh", k=chance.choice((1, 60, 3000)))) + b"\n"
                client.sendall(line)
                got = b""
                while len(got) < len(line):
                    part = client.recv(65536)
                    if not part:
                        raise ValueError(f"end after {len(got)} of {len(line)} bytes")
                    got += part
                if got != line:
                    raise ValueError(f"{line[:40]!r} came back as {got[:40]!r}")

    def _client(self, number):
        chance = random.Random(number)
        while not self._stop.is_set():
            service = chance.choice(SERVICES)
            began = time.monotonic()
            try:
                self._talk(service, chance)
                with self._lock:
                    self.served += 1
            except (OSError, ValueError) as error:
                what = f"{type(error).__name__}: {error}"
                with self._lock:
                    self._failures.append((service, began, time.monotonic(), what))
                self._stop.wait(0.01)
            self._stop.wait(chance.uniform(0, 0.02))
