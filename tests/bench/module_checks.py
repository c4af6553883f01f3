# SPDX-License-Identifier: GPL-3.0-or-later
"""
What modules cost: an echo in C and one in Lua beside the built-in one, and examples/kv beside
redis-server, both under redis-benchmark; all in turns.

A new one is a function and a row in MODULE_CHECKS.
"""

import csv
import os
import shlex
import shutil
import socket
import subprocess
import tempfile

from bench import HERE
from checks import only_drover
from figures import at_least, at_most, bracket, ratios
from peers import free_port
from processes import Broken, wait_for
from scenarios import with_text
from servers import Drover, Job, Server

TOP = os.path.dirname(os.path.dirname(HERE))

ECHO_CONNECTIONS = 16
ECHO_OPERATIONS = 800000
ECHO_OPERATIONS_MIN = 200
MODULE_CPU_AT_MOST = 1.02       # of an echo of the built-in handler
LUA_SPEED_AT_LEAST = .6         # of its operations a second
LUA_ECHO = "function data(conn, bytes) return bytes end\n"

KV_CONNECTIONS = 50
KV_PIPELINES = (1, 16)
KV_AT_LEAST = {"ping_mbulk": 1.0, "get": .9, "set": .5}     # of the operations a second of redis-server
KV_OPERATIONS = 400000
KV_OPERATIONS_MIN = 2000


# --- echoes

def module_echo(bench):
    """examples/module/echo.c, built as its users build it, and the built-in echo."""
    if not only_drover(bench, "module-echo"):
        return
    source = os.path.join(TOP, "examples", "module", "echo.c")
    module = os.path.join(bench.folder, "echo.so")
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-O2", "-shared", "-fPIC", "-I", os.path.join(TOP, "include"),
                    "-o", module, source], check=True)
    s = echo_beside_builtin(bench, "module-echo", f' path = "{module}";')["cpu_ratio"]
    bench.verdict("module-echo", *with_text(at_most(s, MODULE_CPU_AT_MOST),
                  f"CPU an operation {bracket(s)} of the built-in echo's, at most {MODULE_CPU_AT_MOST}"))


def lua_echo(bench):
    if not only_drover(bench, "lua-echo"):
        return
    module = os.path.join(os.path.dirname(bench.args.droverd or ""), "modules", "lua", "lua.so")
    if not os.path.isfile(module):
        print(f"SKIP  lua-echo: there is no {module} (apt-get install liblua5.4-dev, and configure again)")
        return
    script = bench.write("echo.lua", LUA_ECHO)
    found = echo_beside_builtin(bench, "lua-echo", f' path = "{module}"; options = {{ script = "{script}"; }};')
    s = found["speed_ratio"]
    bench.verdict("lua-echo", *with_text(at_least(s, LUA_SPEED_AT_LEAST),
                  f"{bracket(s)} of the operations a second of the built-in echo, at least {LUA_SPEED_AT_LEAST}; "
                  f"CPU time of one {bracket(found['cpu_ratio'])}"))


def echo_beside_builtin(bench, name, handler):
    """Slices of both in turns, each with a server of its own."""
    cores = bench.cores_for_servers()
    jobs = {"module": Job("module", cores, bench.args.workers, ECHO_CONNECTIONS, handler=handler),
            "builtin": Job("echo", cores, bench.args.workers, ECHO_CONNECTIONS)}
    samples = {side: [] for side in jobs}
    for i in range(bench.args.rounds):
        order = list(jobs)[::-1 if i % 2 else 1]
        slices = {side: [] for side in jobs}
        for side in order + order[::-1]:
            slices[side].append(echo_slice(bench, jobs[side]))
        for side, of in slices.items():
            samples[side].append({key: sum(s[key] for s in of) / len(of) for key in of[0]})
    found = {"samples": samples, "cpu_ratio": ratios(samples["module"], samples["builtin"], "cpu_usec"),
             "speed_ratio": ratios(samples["module"], samples["builtin"], "ops_per_sec")}
    bench.report["checks"][name] = found
    return found


def echo_slice(bench, job):
    count = max(ECHO_OPERATIONS_MIN, ECHO_OPERATIONS // bench.effort.share)
    with Drover(bench, job) as server, \
            bench.load(server, "ping-pong", ECHO_CONNECTIONS, count=count, size=64, opening=1) as load:
        before = server.seconds()
        load.measure()
        cpu = server.seconds() - before
        report = load.result()
    return {"cpu_usec": cpu / report["operations"] * 1e6, "ops_per_sec": report["operations"] / report["seconds"]}


# --- examples/kv

class Redis(Server):
    """redis-server that keeps nothing on the disk."""

    def __init__(self, bench, job):
        self.to = ("127.0.0.1", free_port())
        super().__init__(bench, ["redis-server", "--bind", self.to[0], "--port", str(self.to[1]), "--save", "",
                                 "--appendonly", "no", "--dir", bench.folder], job, stdout=subprocess.DEVNULL)

    def wait_ready(self):
        wait_for(self.accepts, "redis-server accepts")
        self.address = "%s:%d" % self.to

    def accepts(self):
        if self.proc.poll() is not None:
            raise Broken("redis-server ended")
        with socket.socket() as s:
            return s.connect_ex(self.to) == 0


def kv(bench):
    """Operations a second and CPU time of each kind of request, one by one and in pipelines of 16."""
    module = os.path.join(os.path.dirname(bench.args.droverd or ""), "examples", "kv", "kv.so")
    missing = [f"{p} (apt-get install redis-server redis-tools)" for p in ("redis-server", "redis-benchmark")
               if not shutil.which(p)]
    if not os.path.isfile(module):
        missing.append(f"{module} (make examples/kv/kv.so)")
    if missing:
        print(f"SKIP  kv: there is no {', no '.join(missing)}")
        return
    if not only_drover(bench, "kv"):
        return
    with tempfile.TemporaryDirectory(dir=bench.folder) as data:
        handler = f' path = "{module}"; options = {{ path = "{data}"; }};'
        job = Job("module", bench.cores_for_servers(), bench.args.workers, KV_CONNECTIONS, handler=handler)
        with Drover(bench, job) as drover, Redis(bench, job) as redis:
            for pipeline in KV_PIPELINES:
                for test, target in KV_AT_LEAST.items():
                    compare(bench, {"kv": drover, "redis": redis}, test, pipeline, target)


def compare(bench, servers, test, pipeline, target):
    samples = {name: [] for name in servers}
    for i in range(bench.args.rounds):
        for name in list(servers)[::-1 if i % 2 else 1]:
            samples[name].append(slice_of(bench, servers[name], test, pipeline))
    speed = ratios(samples["kv"], samples["redis"], "ops_per_sec")
    cpu = ratios(samples["kv"], samples["redis"], "cpu_usec")
    name = f"kv {test} -P {pipeline}"
    bench.report["checks"][name] = {"samples": samples, "speed_ratio": speed, "cpu_ratio": cpu}
    bench.verdict(name, *with_text(at_least(speed, target),
                  f"{bracket(speed)} of the operations a second of redis-server, at least {target}; "
                  f"CPU time of one {bracket(cpu)}"))


def slice_of(bench, server, test, pipeline):
    count = max(KV_OPERATIONS_MIN, KV_OPERATIONS // bench.effort.share) * (4 if pipeline > 1 else 1)
    host, port = server.address.rsplit(":", 1)
    before = server.seconds()
    run = subprocess.run(["redis-benchmark", "-h", host, "-p", port, "-t", test, "-c", str(KV_CONNECTIONS), "-n", str(count),
                          "-P", str(pipeline), "--csv"], capture_output=True, text=True, check=False,
                         preexec_fn=lambda: os.sched_setaffinity(0, bench.last_core))
    cpu = server.seconds() - before
    rows = list(csv.DictReader(run.stdout.splitlines()))
    if run.returncode or len(rows) != 1:
        raise Broken(f"redis-benchmark said {run.stdout!r} {run.stderr!r}")
    return {"ops_per_sec": float(rows[0]["rps"]), "cpu_usec": cpu / count * 1e6}


MODULE_CHECKS = {"module-echo": module_echo, "lua-echo": lua_echo, "kv": kv}
