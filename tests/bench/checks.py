# SPDX-License-Identifier: GPL-3.0-or-later
"""
What is not a matter of speed: memory of idle connections, how connections lie
on workers, system calls of an echo, how fast workers and configurations are
replaced, and how long the operator waits for an answer.

A new one is a function and a row in CHECKS.
"""

import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import time

from processes import PATIENCE, Broken, Process, count_sockets, private_bytes, tree
from scenarios import PROCESSES_AT_MOST, client_for
from servers import Drover, Job

IDLE_BYTES_BELOW = 600
TLS_IDLE_BYTES_AT_MOST = 24 * 1024
SPARE_FILES = 1000
SHARE_AT_MOST = 1.25        # of the even share
CALLS_AT_MOST = 1.0         # epoll_wait, read, write each, for one echo
CALLS_SLACK = .01           # being attached to interrupts a wait or two of each worker
MANY_DEATHS = 'restart = { burst = 1000; };'    # the deaths are intended


# --- memory

def memory(bench):
    """Private memory of all processes of a server; what the first connections cost is not the others'."""
    sides = {}
    for side in ["drover", "floor", *(name for name, (peer, _) in bench.peers.items() if "echo" in peer.can)]:
        if bench.args.effort != "full" and side != "drover":
            continue
        try:
            sides[side] = idle_memory(bench, side)
        except (Broken, OSError) as e:
            if side == "drover":
                raise
            sides[side] = {"failed": str(e)}
        bench.say(memory_line(side, sides[side]))
    bench.report["checks"]["memory"] = sides
    most = max(sides["drover"]["bytes"])
    each = sides["drover"]["each"][most]
    bench.verdict("memory", each < IDLE_BYTES_BELOW,
                  f"{each:.0f} bytes of private memory for each of {most:,} idle connections, below {IDLE_BYTES_BELOW}")


def tls_memory(bench):
    """The same over TLS. The echo behind a peer is not counted."""
    if not bench.certificate:
        print("SKIP  tls-memory: no OpenSSL (apt-get install libssl-dev openssl pkg-config)")
        return
    sides = {}
    for side in ["drover", "floor", *(name for name, (peer, _) in bench.peers.items() if "tls" in peer.can)]:
        try:
            sides[side] = idle_memory(bench, side, "tls")
        except (Broken, OSError) as e:
            if side == "drover":
                raise
            sides[side] = {"failed": str(e)}
        bench.say(memory_line(side, sides[side]))
    bench.report["checks"]["tls-memory"] = sides
    each = {side: s["each"][max(s["each"])] for side, s in sides.items() if "failed" not in s}
    least = min((side for side in each if side in bench.peers), key=each.get, default=None)
    bench.verdict("tls-memory", each["drover"] <= TLS_IDLE_BYTES_AT_MOST,
                  f"{each['drover']:,.0f} bytes of private memory for each idle TLS connection, "
                  f"at most {TLS_IDLE_BYTES_AT_MOST:,}")
    if least:
        bench.verdict("tls-memory peers", each["drover"] < each[least],
                      f"{each['drover']:,.0f} bytes, and {each[least]:,.0f} with {least}, which needs least of the peers")


def idle_memory(bench, side, kind="echo"):
    """Bytes without and with idle connections that have echoed once, as far as it goes."""
    peer = bench.peers[side][0] if side in bench.peers else None
    counts = [n for n in bench.effort.idle if not (peer and peer.process_each and n > PROCESSES_AT_MOST)]
    like = {"size": 64} | client_for(peer, "echo")
    if kind == "tls":
        # Who stands in front of an echo needs two descriptors for each connection.
        most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES) // 2
        counts = sorted({min(n, most) for n in counts})
        like |= bench.certificate.client_options()
    job = Job(kind, bench.all_cores, bench.args.workers, max(counts))
    with bench.start(side, job) as server:
        with bench.load(server, "ping-pong", 16, count=1000, **like) as load:
            load.measure()
            load.result()
        bytes_with = {0: private_bytes(tree(server.pid))}
        for n in counts:
            with bench.load(server, "hold", n, **like) as load:
                bytes_with[n] = private_bytes(tree(server.pid))
                load.measure()
                load.result()
    return {"bytes": bytes_with, "each": {n: (bytes_with[n] - bytes_with[0]) / n for n in counts}}


def memory_line(side, s):
    if "failed" in s:
        return f"memory     {side:<14} {s['failed']}"
    rows = [f"{n:,} idle: {b / 1024:,.0f} KiB" for n, b in s["bytes"].items()]
    return f"memory     {side:<14} {', '.join(rows)}; {s['each'][max(s['each'])]:,.0f} bytes each"


# --- spread

def spread(bench):
    conns, worst, table = bench.effort.spread, 0.0, {}
    for opening in (1, 64, conns):
        for workers in bench.effort.workers:
            with bench.start("drover", Job("echo", bench.all_cores, workers, conns)) as server:
                pids = server.workers()
                before = [count_sockets(p) for p in pids]
                with bench.load(server, "hold", conns, opening=opening, size=64) as load:
                    held = [count_sockets(p) - b for p, b in zip(pids, before)]
                    load.measure()
                    load.result()
            share = max(held) * workers / conns
            worst = max(worst, share)
            table.setdefault(str(opening), {})[str(workers)] = {"held": held, "most": share}
        most = max(row["most"] for row in table[str(opening)].values())
        bench.say(f"spread     {opening:4} opened at once, {min(bench.effort.workers)} to {max(bench.effort.workers)} workers: "
                  f"the fullest holds up to {most:.2f} of its share")
    bench.report["checks"]["spread"] = table
    bench.verdict("spread", worst <= SHARE_AT_MOST,
                  f"the fullest worker holds {worst:.2f} of its share of {conns}, at most {SHARE_AT_MOST}")


# --- system calls

GROUPS = {"epoll_wait": "epoll_p?wait2?", "read": "read|recv(from|msg)|readv", "write": "write|send(to|msg)|writev"}


def syscalls(bench):
    echoes = bench.effort.echoes
    if not shutil.which("strace"):
        print("SKIP  syscalls: no strace (apt-get install strace)")
        return
    with bench.start("drover", Job("echo", bench.all_cores, bench.args.workers)) as server:
        with bench.load(server, "ping-pong", 1, count=echoes) as load:
            table = strace(bench, server.workers(), load)
            load.result()
    if table is None:
        print("SKIP  syscalls: strace may not attach")
        return
    each = {group: sum(n for call, n in table.items() if re.fullmatch(pattern, call)) / echoes
            for group, pattern in GROUPS.items()}
    each["other"] = sum(table.values()) / echoes - sum(each.values())
    bench.report["checks"]["syscalls"] = {"per_echo": each, "calls": table}
    bench.verdict("syscalls", each["other"] <= CALLS_SLACK
                  and all(n <= CALLS_AT_MOST + CALLS_SLACK for n in each.values()),
                  "an echo costs " + ", ".join(f"{n:.3f} {group}" for group, n in each.items()))


def strace(bench, pids, load):
    """Counts of the calls of pids while load runs, by name; None if it may not look."""
    out = os.path.join(bench.folder, "strace")
    argv = ["strace", "-f", "-c", "-o", out]
    for pid in pids:
        argv += ["-p", str(pid)]
    # What it says is on standard error; read it as standard output.
    with Process(["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *argv], bench.all_cores) as tracer:
        for _ in pids:
            if "attached" not in tracer.line():
                load.measure()
                return None
        load.measure()
        tracer.proc.send_signal(signal.SIGINT)
        tracer.rest()
    with open(out) as f:
        rows = [line.split() for line in f]
    return {row[-1]: int(row[3]) for row in rows
            if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}


# --- replacing

def only_drover(bench, name):
    if bench.args.self or bench.args.candidate:
        print(f"SKIP  {name}: only drover says when it is done")
    return not (bench.args.self or bench.args.candidate)


def milliseconds(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "each": values}


def replace(bench):
    """From kill -9 to the event that the next worker accepts."""
    if not only_drover(bench, "replace"):
        return
    took, times = [], bench.effort.times
    with Drover(bench, Job("echo", bench.all_cores, bench.args.workers), MANY_DEATHS, keep_events=True) as server:
        for i in range(times):
            pids = server.workers()
            start = time.monotonic()
            server.kill_worker(pids[i % len(pids)])
            took.append((time.monotonic() - start) * 1000)
    s = bench.report["checks"]["replace"] = milliseconds(took)
    print(f"INFO  replace: {s['median']:.2f} ms from the death of a worker to the next one that accepts, "
          f"{s['min']:.2f} to {s['max']:.2f} in {times}", flush=True)


def reload(bench):
    """From HUP to READY=1, while connections come and go; none of them may fail."""
    if not only_drover(bench, "reload"):
        return
    took, times = [], bench.effort.times
    with Drover(bench, Job("echo", bench.cores_for_servers(), bench.args.workers)) as server, \
            bench.load(server, "connect", 16, longest=times * PATIENCE) as load:
        load.go()
        for _ in range(times):
            start = time.monotonic()
            os.kill(server.pid, signal.SIGHUP)
            server.notices.wait(server.pid, r"(?m)^RELOADING=1")
            status = server.notices.wait(server.pid, r"(?ms)^READY=1.*")[0]
            took.append((time.monotonic() - start) * 1000)
        load.stop()
        report = load.result(allow_errors=True)
    s = bench.report["checks"]["reload"] = {**milliseconds(took), "connections": report["operations"],
                                            "errors": report["errors"], "last_status": status}
    bench.verdict("reload", report["errors"] == 0 and report["operations"] > 0,
                  f"{report['errors']} of {report['operations']:,} connections failed during {times} reloads, "
                  f"none may; a reload took {s['median']:.1f} ms, {s['min']:.1f} to {s['max']:.1f}", speed=False)


# --- looking

def status(bench):
    """droverctl status, from its start to its end, while many connections are open."""
    if not only_drover(bench, "status"):
        return
    if not bench.args.droverctl:
        print("SKIP  status: no droverctl: build it, or set DROVERCTL")
        return
    took, times, n_open = [], bench.effort.times, bench.effort.open
    with Drover(bench, Job("echo", bench.all_cores, bench.args.workers, n_open), control=True) as server, \
            bench.load(server, "hold", n_open, size=64) as load:
        for _ in range(times):
            start = time.monotonic()
            told = subprocess.run([bench.args.droverctl, "-s", server.control, "status"],
                                  capture_output=True, text=True)
            took.append((time.monotonic() - start) * 1000)
            if f" open {n_open} of " not in told.stdout:
                raise Broken(f"droverctl said {told.stdout or told.stderr!r}")
        load.measure()
        load.result()
    s = bench.report["checks"]["status"] = milliseconds(took)
    print(f"INFO  status: {s['median']:.2f} ms for droverctl status with {n_open:,} open connections, "
          f"{s['min']:.2f} to {s['max']:.2f} in {times}; meant to be below 50", flush=True)


CHECKS = {"memory": memory, "spread": spread, "syscalls": syscalls, "replace": replace, "reload": reload,
          "status": status, "tls-memory": tls_memory}
