# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a handler in C can do: examples/kv beside redis-server, both under redis-benchmark, in turns.

A new one is a function and a row in MODULE_CHECKS.
"""

import csv
import os
import shutil
import socket
import subprocess
import tempfile

from checks import only_drover
from figures import at_least, bracket, ratios
from peers import free_port
from processes import Broken, wait_for
from scenarios import with_text
from servers import Drover, Job, Server

KV_CONNECTIONS = 50
KV_PIPELINES = (1, 16)
KV_AT_LEAST = {"ping_mbulk": 1.0, "get": .9, "set": .5}     # of the operations a second of redis-server
KV_OPERATIONS = 400000
KV_OPERATIONS_MIN = 2000


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


MODULE_CHECKS = {"kv": kv}
