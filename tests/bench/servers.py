# SPDX-License-Identifier: GPL-3.0-or-later
"""
What is measured: a server that was told what to do. Here are drover and those
that say "PORT n" (the floor, a candidate); peers.py has the others.
"""

import contextlib
import json
import os
import re
import select
import signal
import socket
import tempfile
import time
from dataclasses import dataclass, field, replace

from processes import PATIENCE, Broken, Process, tree, wait_for


@dataclass
class Job:
    """What a server is to do, and for whom."""
    kind: str                   # echo, exec, greet, filter; tls: an echo, tls-exec
    cores: set
    workers: int = 2
    conns: int = 16             # at once
    argv: list = field(default_factory=list)    # kind exec: the program of a connection; filter: that stays
    handler: str = ""           # for drover: what its handler has besides
    settings: str = ""          # for drover: what its service has besides
    listen: str = "127.0.0.1:0"     # for drover
    isolate: bool = False       # kinds of TLS, for drover: private keys in a process of their own


class Server(Process):
    """A running server: its address, its processes, its account."""

    def __init__(self, bench, argv, job, **options):
        self.account = bench.accounts.open()
        self.address = None
        try:
            super().__init__(argv, job.cores, self.account, **options)
        except OSError as e:
            self.account.close()
            raise Broken(f"{argv[0]} does not start: {e.strerror}") from None
        try:
            self.wait_ready()
        except BaseException:
            self.end()
            raise

    def wait_ready(self):
        """Sets address, or raises."""
        raise NotImplementedError

    def seconds(self):
        return self.account.seconds(self.pid)

    def workers(self):
        """The processes that serve connections; here all that it has forked."""
        return tree(self.pid)[1:]

    def end(self):
        super().end()
        self.account.close()


class Announced(Server):
    """A server that prints "PORT n": the floor, or a candidate like it."""

    def wait_ready(self):
        line = self.line()
        if not line.startswith("PORT "):
            raise Broken(f"{self.name} said {line!r}")
        self.address = "127.0.0.1:" + line.split()[1]


class Mailbox:
    """What droverd says about itself, at a socket of ours."""

    def __init__(self, folder, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(folder, name))
        self.path = self.socket.getsockname()

    def close(self):
        self.socket.close()

    def wait(self, pid, pattern):
        """The match in the next message that has one."""
        end = time.monotonic() + PATIENCE
        pidfd = os.pidfd_open(pid)
        try:
            while True:
                ready = select.select([self.socket, pidfd], [], [], max(0, end - time.monotonic()))[0]
                if self.socket not in ready:
                    raise Broken("droverd ended" if ready else f"droverd does not say {pattern!r}")
                match = re.search(pattern, self.socket.recv(65536).decode())
                if match:
                    return match
        finally:
            os.close(pidfd)


class Drover(Server):
    """
    droverd on a configuration of one service that is measured. The events are only heard till it
    is ready, unless they are wanted: they are two for each connection. beside: the text of more
    services; top: settings for all.
    """

    def __init__(self, bench, job, settings="", keep_events=False, control=False, beside="", top=""):
        self.n_workers = job.workers
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            path = os.path.join(folder, "drover.conf")
            with open(path, "w") as f:
                if job.kind.startswith("tls"):
                    settings += bench.certificate.drover_settings(job.isolate)
                f.write(drover_conf(job, settings, beside) + top)
                self.control = os.path.join(folder, "control.sock")
                f.write(f'control = {{ socket = "{self.control if control else "none"}"; }};\n')
            self.events = stack.enter_context(contextlib.closing(Mailbox(folder, "events")))
            self.notices = stack.enter_context(contextlib.closing(Mailbox(folder, "notices")))
            env = {**os.environ, "DROVER_EVENTS": self.events.path, "NOTIFY_SOCKET": self.notices.path}
            super().__init__(bench, [bench.args.droverd, "-c", path], job, env=env)
            if not keep_events:
                self.events.close()
            self.kept = stack.pop_all()

    def wait_ready(self):
        self.pids = []
        self.address = self.events.wait(self.pid, r"^listening service=bench address=(\S+)")[1]
        while len(self.pids) < self.n_workers:
            self.next_worker()
        self.notices.wait(self.pid, r"(?m)^READY=1")

    def next_worker(self):
        """Waits for the next one that accepts. The master has other children as well: they say no such thing."""
        self.pids.append(int(self.events.wait(self.pid, r"^worker-ready service=bench .*\bpid=(\d+)")[1]))

    def workers(self):
        """As they were when last heard of."""
        return list(self.pids)

    def kill_worker(self, pid):
        """And waits until another one accepts."""
        self.pids.remove(pid)
        os.kill(pid, signal.SIGKILL)
        self.next_worker()

    def end(self):
        super().end()
        if hasattr(self, "kept"):
            self.kept.close()


class Operator:
    """A client of the control socket that asks without droverctl, on one connection."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(server.control)
        self.heard = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.heard.close()
        self.socket.close()

    def send(self, command):
        self.socket.sendall(json.dumps({"command": command}).encode() + b"\n")

    def answer(self):
        answer = json.loads(self.heard.readline() or "{}")
        if not answer.get("ok"):
            raise Broken(f"the control socket answered {answer}")
        return answer.get("result")

    def ask(self, command):
        self.send(command)
        return self.answer()

    def has_answer(self):
        return bool(select.select([self.socket], [], [], 0)[0])


def drover_conf(job, settings="", beside=""):
    """The defaults, but for what the measurement needs."""
    argv = "argv = [ %s ];" % ", ".join(map(json.dumps, job.argv))
    handler = {"echo": 'type = "echo";', "greet": 'type = "daytime";', "exec": 'type = "exec"; ' + argv,
               "filter": 'type = "filter"; framing = "line"; ' + argv, "tls": 'type = "echo";',
               "tls-exec": 'type = "exec"; ' + argv, "module": 'type = "module";'}[job.kind] + job.handler
    user = 'user = "root"; group = "root";' if os.geteuid() == 0 else ""
    return f"""
log = {{ target = "stderr"; level = "error"; }};
services = {{
  bench = {{
    listen = "{job.listen}"; workers = {job.workers}; connections = {max(job.conns, 256)};
    {user} {job.settings} {settings}
    handler = {{ {handler} }};
  }};
{beside}
}};
"""


def start_floor(bench, job):
    if job.kind in ("greet", "filter", "tls-exec"):
        raise Broken(f"the floor knows no {job.kind}")
    if job.kind == "tls":
        return Announced(bench, [bench.tls_floor, "--workers", str(job.workers), *bench.args.floor_options,
                                 "--tls", bench.certificate.both], job)
    how = ["--exec", *job.argv] if job.kind == "exec" else bench.args.floor_options
    return Announced(bench, [bench.floor, "--workers", str(job.workers), *how], job)


def start_echo(bench, job):
    """drover's own echo, beside a filter that copies."""
    return Drover(bench, replace(job, kind="echo", handler=""))


def start_cold(bench, job):
    """drover that starts a program when its connection comes, beside one where it waits."""
    return Drover(bench, replace(job, handler=""))


def start_unlimited(bench, job):
    """drover without limits, beside one that has all of them."""
    return Drover(bench, replace(job, settings=""))


def start_isolated(bench, job):
    """drover whose private keys are in a process of their own, beside one whose workers have them."""
    return Drover(bench, replace(job, isolate=True))


def settle(server):
    """Until programs that are to wait have loaded what they need: then it takes no CPU time any more."""
    def is_still():
        before = server.seconds()
        time.sleep(.1)
        return server.seconds() - before < .002

    wait_for(is_still, "its programs wait")


def start_candidate(bench, job, settings=""):
    """What is measured in this run: drover, or what was named in its place."""
    if bench.args.self:
        return start_floor(bench, job)
    if bench.args.candidate:
        how = ["--exec", *job.argv] if job.kind == "exec" else []
        return Announced(bench, [*bench.args.candidate, "--workers", str(job.workers), *how], job)
    return Drover(bench, job, settings)
