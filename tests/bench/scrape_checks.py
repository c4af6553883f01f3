# SPDX-License-Identifier: GPL-3.0-or-later
"""
What looking from outside costs: the CPU time of a scrape of many services, and whether a client
sees that another one scrapes.

A new one is a function and a row in SCRAPE_CHECKS.
"""

import os
import socket
import time

from checks import only_drover
from figures import at_most, bracket, ratios, summary
from limit_checks import echoes_of_others
from processes import PATIENCE, Broken
from scenarios import with_text
from servers import Drover, Job

SERVICES = 50                   # with two workers each
SCRAPE_CPU_BELOW = 20           # milliseconds
SCRAPE_P99_AT_MOST = 1.05       # of the one without scrapes
RESOURCES = ("/metrics", "/status.json", "/ready")
FRESH = .15                     # seconds: an answer that is older is not given to another client
BUSY = .5                       # of what the server can do in echoes: more queues them by itself


class Watched(Drover):
    """An echo whose workers hold idle connections, and 49 more services: all have metrics at one socket."""

    def __init__(self, bench, cores, conns):
        self.socket = os.path.join(bench.folder, "metrics")
        each = 'listen = "127.0.0.1:0"; handler = { type = "echo"; };'
        if os.geteuid() == 0:
            each += ' user = "root"; group = "root";'
        crowd = "\n".join(f"  other{i} = {{ {each} workers = 2; }};" for i in range(SERVICES - 1))
        super().__init__(bench, Job("echo", cores, 2, conns), control=True,
                         beside=crowd, top=f'metrics = {{ listen = "unix:{self.socket}"; }};')

    def scrape(self, resource="/metrics"):
        """One question on one connection, as Prometheus asks. Returns the length of the answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.socket)
            s.sendall(f"GET {resource} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: s.recv(1 << 16), b""))
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise Broken(f"{resource} was answered with {answer[:80]!r}")
        return len(answer)


def scrape(bench):
    """CPU time of all processes for a scrape, while many connections are open."""
    if not only_drover(bench, "scrape"):
        return
    times, conns, found = bench.effort.scrapes, bench.effort.idle[-1], {}
    with Watched(bench, bench.all_cores, conns) as server, bench.load(server, "hold", conns, size=64) as load:
        for resource in RESOURCES:
            server.scrape(resource)
            before, lengths = server.seconds(), []
            for _ in range(times):
                time.sleep(FRESH)
                lengths.append(server.scrape(resource))
            found[resource] = {"cpu_msec": (server.seconds() - before) / times * 1000, "bytes": max(lengths)}
        load.measure()
        load.result()
    bench.report["checks"]["scrape"] = {"services": SERVICES, "connections": conns, "resources": found}
    cpu = found["/metrics"]["cpu_msec"]
    bench.verdict("scrape", cpu < SCRAPE_CPU_BELOW,
                  f"a scrape of {SERVICES} services with {conns:,} connections takes {cpu:.1f} ms of CPU time "
                  f"({found['/metrics']['bytes'] >> 10} KiB), below {SCRAPE_CPU_BELOW}; "
                  + ", ".join(f"{name} {s['cpu_msec']:.1f}" for name, s in list(found.items())[1:]))


def scrape_echo(bench):
    """
    The p99 of echoes, with and without a scrape each second, in turns. The echoes come at a rate, because a
    client that waits for its answer sends nothing while it is delayed, and so hides the delay.
    """
    if not only_drover(bench, "scrape-echo"):
        return
    samples = {"without": [], "with": []}
    with Watched(bench, bench.cores_for_servers(), bench.effort.idle[-1]) as server, \
            bench.load(server, "hold", bench.effort.idle[-1], size=64) as idle:
        rate = BUSY * echoes_of_others(bench, server)
        for i in range(bench.args.rounds):
            for side in list(samples)[::-1 if i % 2 else 1]:
                samples[side].append(echoes_beside(bench, server, rate, side == "with"))
        idle.measure()
        idle.result()
    s = ratios(samples["with"], samples["without"], "p99_usec")
    found = {side: {key: summary([r[key] for r in of]) for key in of[0]} for side, of in samples.items()}
    for side, of in found.items():
        bench.say(f"scrape-echo, {side:<7} scrapes  {of['ops_per_sec']['median']:9.0f} echoes/s, "
                  f"p50 {of['p50_usec']['median']:.0f} us, p99 {of['p99_usec']['median']:.0f} us, "
                  f"p99.9 {of['p999_usec']['median']:.0f} us")
    bench.report["checks"]["scrape-echo"] = {"sides": found, "p99_ratio": s, "rate": rate}
    bench.verdict("scrape-echo", *with_text(at_most(s, SCRAPE_P99_AT_MOST),
                  f"with a scrape each second the p99 of echoes is {bracket(s)} of the one without, "
                  f"at most {SCRAPE_P99_AT_MOST}"))


def echoes_beside(bench, server, rate, scrapes):
    """One slice of a few seconds."""
    with bench.load(server, "open-loop", 16, longest=bench.effort.scraped, size=64,
                    rate=f"{rate:.0f}/s", arrivals="poisson") as load:
        load.go()
        end = time.monotonic() + bench.effort.scraped
        while time.monotonic() + 1 <= end:
            time.sleep(.5)
            if scrapes:
                server.scrape()
            time.sleep(.5)
        load.gate("end", bench.effort.scraped)
        report = load.result()
    latency = report["latency_usec"]
    return {"ops_per_sec": report["operations"] / report["seconds"], "p50_usec": latency["p50"],
            "p99_usec": latency["p99"], "p999_usec": latency["p99.9"]}


SCRAPE_CHECKS = {"scrape": scrape, "scrape-echo": scrape_echo}
