# SPDX-License-Identifier: GPL-3.0-or-later
"""
What many clients and long lists cost: connections that are refused all the time, a
million sources one after the other, a deny_file of a hundred thousand lines.

A new one is a function and a row in LIMIT_CHECKS.
"""

import os
import time

from checks import milliseconds, only_drover
from figures import at_least, at_most, bracket, ratios, summary
from limits import prefixes
from processes import PATIENCE, Broken, private_bytes, shared_bytes, tree
from scenarios import with_text
from servers import Drover, Job, Operator, start_floor

FLOOD_A_MINUTE = 100000
FLOOD_SPEED_AT_LEAST = .9       # of the echoes of others
FLOOD_LIMITS = 'limits = { rate_per_source = "10/s"; };'
FLOOD_OPTIONS = {"rate": f"{FLOOD_A_MINUTE}/m", "new-connections": None, "source": "127.77.0.1",
                 "size": 0, "answer": "eof"}

SOURCES_CPU_AT_MOST = 1.05      # of a connection at the begin
SOURCES_BYTES_BELOW = 256 << 10
SOURCES_PARTS = 10              # in which the first tenth is measured, and the last one
SOURCES_SECONDS = 600           # nothing takes longer
SOURCES_LIMITS = ('proxy_protocol = "v2"; poison = true;'
                  'limits = { connections_per_source = 100; rate_per_source = "100/s"; };')

DENY_CHECK_BELOW = 200          # milliseconds
DENY_WAIT_BELOW = 10            # milliseconds; to read the file takes longer


# --- connections that are refused

def refused_flood(bench):
    """
    Echoes of others while one source is refused all the time. The client of this flood takes time
    of the core that the client of the others has, wherever the connections go; that is no cost of
    the server. Therefore the others are compared with others during a flood against the floor.
    """
    if not only_drover(bench, "refused-flood"):
        return
    samples = {"none": [], "floor": [], "drover": []}
    job = Job("echo", bench.cores_for_servers(), bench.args.workers)
    with Drover(bench, job, FLOOD_LIMITS, control=True) as drover, \
            start_floor(bench, Job("echo", bench.last_core, 1)) as floor, Operator(drover) as operator:
        targets = {"none": None, "floor": floor, "drover": drover}
        for i in range(bench.args.rounds):
            for side in list(targets)[::-1 if i % 2 else 1]:
                samples[side].append(echoes_during_flood(bench, drover, targets[side]))
        refused = operator.ask("services")["services"][0]["refused"]["source_rate"]
    came = sum(s["flood"] for s in samples["drover"])
    if refused < came / 2:
        raise Broken(f"only {refused} of {came} connections were refused")
    found = {side: {key: summary([s[key] for s in of]) for key in of[0]} for side, of in samples.items()}
    s = ratios(samples["drover"], samples["floor"], "echoes_per_sec")
    for side, of in found.items():
        bench.say(f"refused-flood, against {side:<6}  {of['echoes_per_sec']['median']:9.0f} echoes/s of others, "
                  f"{of['flood_per_min']['median']:8,.0f} connections a minute")
    bench.report["checks"]["refused-flood"] = {"sides": found, "speed_ratio": s, "refused": refused}
    bench.verdict("refused-flood", *with_text(at_least(s, FLOOD_SPEED_AT_LEAST),
                  f"others keep {bracket(s)} of their speed while {FLOOD_A_MINUTE:,} connections a minute are refused, "
                  f"at least {FLOOD_SPEED_AT_LEAST}"))


def echoes_of_others(bench, server):
    with bench.load(server, "ping-pong", 16, longest=bench.effort.flood, size=64) as load:
        load.measure()
        report = load.result()
    return report["operations"] / report["seconds"]


def echoes_during_flood(bench, server, target):
    """One slice. What the floor takes for its flood, it takes of the client's core: that is added again."""
    if not target:
        return {"echoes_per_sec": echoes_of_others(bench, server), "flood": 0, "flood_per_min": 0}
    with bench.load(target, "open-loop", 64, longest=bench.effort.flood + PATIENCE, **FLOOD_OPTIONS) as flood:
        flood.go()
        start, taken = time.monotonic(), target.seconds()
        speed = echoes_of_others(bench, server)
        share = (target.seconds() - taken) / (time.monotonic() - start)
        flood.stop()
        report = flood.result()
    if target is not server:
        speed /= 1 - min(share, .5)
    return {"echoes_per_sec": speed, "flood": report["operations"],
            "flood_per_min": report["operations"] / report["seconds"] * 60}


# --- many sources

def many_sources(bench):
    """
    Connections of one client after the other: what the last ones cost, beside the first ones. The machine
    may have become slower in the meantime; so both are compared with connections at another server,
    whose clients come again and again. PROXY headers name the clients, on unix sockets: a million connections
    of TCP leave so much behind in the kernel that each takes a fifth more of its time at the end.
    """
    if not only_drover(bench, "many-sources"):
        return
    n = bench.effort.sources
    part = n // 10 // SOURCES_PARTS
    with start_sources(bench, "one") as server, start_sources(bench, "other") as other, \
            Operator(server) as operator:
        first = [connect_beside(bench, server, other, f"10.{i}.0.0/16", part) for i in range(SOURCES_PARTS)]
        before = memory_of(server)
        connect_from(bench, server, "10.128.0.0/12", n - 2 * part * SOURCES_PARTS)
        last = [connect_beside(bench, server, other, f"10.{64 + i}.0.0/16", part) for i in range(SOURCES_PARTS)]
        grown = memory_of(server) - before
        untracked = operator.ask("status")["totals"]["untracked"]
    s = ratios(last, first, "beside_other")
    bench.report["checks"]["many-sources"] = {"sources": n, "cpu_ratio": s, "bytes": grown, "untracked": untracked,
                                              "first": first, "last": last}
    for when, parts in ("begin", first), ("end", last):
        m = {key: summary([p[key] for p in parts])["median"] for key in parts[0]}
        bench.say(f"many-sources, at the {when:<5}  {m['ops_per_sec']:9.0f} connections/s, {m['cpu_usec']:6.2f} us of CPU "
                  f"each, {m['beside_other']:.3f} of those of clients that have come before")
    met, clear = at_most(s, SOURCES_CPU_AT_MOST)
    bench.verdict("many-sources", met and grown < SOURCES_BYTES_BELOW,
                  f"after {n:,} sources, memory has grown by {grown / 1024:.0f} KiB, below {SOURCES_BYTES_BELOW >> 10}, "
                  f"and a connection costs {bracket(s)} of the CPU time at the begin, at most {SOURCES_CPU_AT_MOST}; "
                  f"{untracked} were not counted", clear)


def start_sources(bench, name):
    job = Job("echo", bench.cores_for_servers(), bench.args.workers, listen=f"unix:{os.path.join(bench.folder, name)}")
    return Drover(bench, job, SOURCES_LIMITS, control=True)


def connect_beside(bench, server, other, network, count):
    """From new addresses at server, from the same ones each time at the other."""
    found, known = connect_from(bench, server, network, count), connect_from(bench, other, "10.0.0.0/16", count)
    return {**found, "beside_other": found["cpu_usec"] / known["cpu_usec"]}


def connect_from(bench, server, network, count):
    """Connect, echo, close, for so many clients of a network."""
    with bench.load(server, "connect", 16, longest=SOURCES_SECONDS, count=count, size=64, proxy="v2",
                    **{"proxy-source": network}) as load:
        before = server.seconds()
        load.measure()
        cpu = server.seconds() - before
        report = load.result()
    return {"cpu_usec": cpu / report["operations"] * 1e6, "ops_per_sec": report["operations"] / report["seconds"]}


def memory_of(server):
    """Private memory of all processes, and what they share."""
    return private_bytes(tree(server.pid)) + shared_bytes(server.pid)


# --- long lists

def deny_file(bench):
    """The time to check a configuration with a long list, and the longest wait for an answer in its reload."""
    if not only_drover(bench, "deny-file"):
        return
    path = bench.write("long-list", prefixes(bench.effort.prefixes))
    checked, waits, answers = [], [], 0
    with Drover(bench, Job("echo", bench.all_cores, bench.args.workers), f'access = {{ deny_file = "{path}"; }};',
                control=True) as server, Operator(server) as operator, Operator(server) as other:
        for _ in range(bench.effort.times):
            checked.append(milliseconds_of(operator, "check"))
            operator.send("reload")
            waited = [0]
            while not operator.has_answer():
                waited.append(milliseconds_of(other, "version"))    # the master itself answers this
                other.ask("status")
            operator.answer()
            waits.append(max(waited))
            answers += len(waited) - 1
    checked, waits = milliseconds(checked), milliseconds(waits)
    bench.report["checks"]["deny-file"] = {**checked, "lines": bench.effort.prefixes, "waits": waits, "answers": answers}
    bench.verdict("deny-file", checked["median"] < DENY_CHECK_BELOW and waits["median"] < DENY_WAIT_BELOW and answers > 0,
                  f"a configuration with {bench.effort.prefixes:,} prefixes is checked in {checked['median']:.1f} ms, below "
                  f"{DENY_CHECK_BELOW}; during a reload the master answers within {waits['median']:.1f} ms (at most "
                  f"{waits['max']:.1f}), below {DENY_WAIT_BELOW}, and has answered status {answers} times in "
                  f"{len(waits['each'])} reloads")


def milliseconds_of(operator, command):
    start = time.monotonic()
    operator.ask(command)
    return (time.monotonic() - start) * 1000


LIMIT_CHECKS = {"refused-flood": refused_flood, "many-sources": many_sources, "deny-file": deny_file}
