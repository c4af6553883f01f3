# SPDX-License-Identifier: GPL-3.0-or-later
"""
Processes of ours: started, heard for a bounded time, ended with all that they
have started; and what they take of CPU and memory. Knows no server.
"""

import contextlib
import os
import re
import resource
import select
import signal
import subprocess
import tempfile
import time

PATIENCE = 20           # seconds in which anything that is waited for must have come
TICK = os.sysconf("SC_CLK_TCK")


class Broken(Exception):
    """A server or the client did not do what it should."""


def read(path):
    with open(path) as f:
        return f.read()


def wait_for(condition, what, patience=PATIENCE):
    """Until condition() is true; for what can only be looked at."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise Broken(f"{what}: not within {patience} s")
        time.sleep(.01)


class Process:
    """A child on some cores, its standard input and output ours. Ends with the with."""

    def __init__(self, argv, cores, account=None, own_session=True, soft_files=None, **options):
        def prepare():
            os.sched_setaffinity(0, cores)
            if soft_files:
                hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft_files, hard), hard))
            if account:
                account.join()

        self.name = os.path.basename(argv[0])
        self.patience = PATIENCE
        self.heard = b""
        # A session of its own, so that autogroup gives each server the same weight.
        self.proc = subprocess.Popen(argv, preexec_fn=prepare, start_new_session=own_session,
                                     **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **options})
        self.group = self.proc.pid if own_session else None

    pid = property(lambda self: self.proc.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def hear(self, more=0):
        """Reads once; False at the end of the output."""
        if not select.select([self.proc.stdout], [], [], self.patience + more)[0]:
            raise Broken(f"{self.name} says nothing for {self.patience + more:.0f} s")
        got = os.read(self.proc.stdout.fileno(), 65536)
        self.heard += got
        return bool(got)

    def line(self, more=0):
        """The next line; more seconds if it is known to take long."""
        while b"\n" not in self.heard:
            if not self.hear(more):
                raise Broken(f"{self.name} ended{self.last_words()}")
        line, _, self.heard = self.heard.partition(b"\n")
        return line.decode()

    def rest(self):
        while self.hear():
            pass
        return self.heard.decode()

    def say(self, line=""):
        with contextlib.suppress(BrokenPipeError):
            os.write(self.proc.stdin.fileno(), line.encode() + b"\n")

    def last_words(self):
        return f" after {self.heard.decode()!r}" if self.heard else ""

    def end(self):
        """TERM to it; if that is not enough, KILL. Then KILL to what is left of its session."""
        if self.proc.stdin:
            self.proc.stdin.close()
        for ask in (self.proc.terminate, self.proc.kill):
            ask()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.proc.wait(PATIENCE / 2)
                break
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)
        if self.proc.stdout:
            self.proc.stdout.close()


# --- what processes take

def tree(pid):
    """pid and all its descendants that are alive."""
    found = [pid]
    for p in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{p}/task"):
                found += map(int, read(f"/proc/{p}/task/{task}/children").split())
    return found


def cpu_seconds(pid):
    """User and system time of a process, its descendants and all those that were reaped."""
    total = 0.0
    for p in tree(pid):
        with contextlib.suppress(OSError):
            fields = read(f"/proc/{p}/stat").rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) / TICK
            for task in os.listdir(f"/proc/{p}/task"):
                total += int(read(f"/proc/{p}/task/{task}/schedstat").split()[0]) / 1e9
    return total


def machine_seconds():
    """Time that all cores together were busy, and all their time."""
    ticks = [int(t) for t in read("/proc/stat").splitlines()[0].split()[1:9]]
    return [t / TICK for t in (sum(ticks) - ticks[3] - ticks[4], sum(ticks))]


def private_bytes(pids):
    """Memory that would be free without these processes; those that end meanwhile count as nothing."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = read(f"/proc/{pid}/smaps_rollup")
            total += 1024 * sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+)", rollup, re.M)))
    return total


def shared_bytes(pid):
    """Memory in use of all memfds that a process has open."""
    total = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            path = f"/proc/{pid}/fd/{fd}"
            if os.readlink(path).startswith("/memfd:"):
                total += os.stat(path).st_blocks * 512
    return total


def count_sockets(pid):
    n = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            n += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
    return n


# --- accounts: the CPU time of a server, whatever it forks

class ProcAccount:
    """From /proc: exact (schedstat) but for children already reaped, which count in 1/100 s."""

    def join(self):
        pass

    def seconds(self, pid):
        return cpu_seconds(pid)

    def close(self):
        pass


class CgroupAccount:
    """A control group of its own: exact for all that was ever forked in it."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(prefix="drover-bench-", dir=folder)

    def join(self):
        with open(f"{self.folder}/cgroup.procs", "w") as f:
            f.write("0")

    def seconds(self, _pid):
        return int(re.search(r"^usage_usec (\d+)", read(f"{self.folder}/cpu.stat"), re.M)[1]) / 1e6

    def close(self):
        """Also ends what has left its session."""
        with contextlib.suppress(OSError), open(f"{self.folder}/cgroup.kill", "w") as f:
            f.write("1")
        wait_for(lambda: "populated 0" in read(f"{self.folder}/cgroup.events"), "processes of a server end")
        os.rmdir(self.folder)


def own_cgroup():
    """The folder of our control group (version 2), or None."""
    mounts = [line.split() for line in read("/proc/self/mounts").splitlines()]
    paths = [line[3:] for line in read("/proc/self/cgroup").splitlines() if line.startswith("0::")]
    roots = [mount[1] for mount in mounts if mount[2] == "cgroup2"]
    return roots[0] + paths[0].rstrip("/") if roots and paths else None


class Accounts:
    """Opens an account for each server; of the better kind, if we may make control groups."""

    def __init__(self, from_proc=False):
        self.folder = None if from_proc else own_cgroup()
        if self.folder:
            try:
                account = CgroupAccount(self.folder)
                account.seconds(0)
                account.close()
            except (OSError, TypeError):
                self.folder = None
        self.name = "cgroup" if self.folder else "proc"

    def open(self):
        return CgroupAccount(self.folder) if self.folder else ProcAccount()
