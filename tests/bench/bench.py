# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a run has: its options, the programs it needs, who is measured, and what
came out so far.
"""

import os
import platform
import shlex
import subprocess
import sys
import time

from client import Load
from effort import EFFORTS
from limits import all_limits, prefixes
from peers import PEERS, PeerServer
from processes import Accounts
from servers import start_candidate, start_cold, start_echo, start_floor, start_isolated, start_unlimited
from tls import Certificate, has_openssl

HERE = os.path.dirname(os.path.abspath(__file__))
LINES = "import sys\nfor line in sys.stdin:\n    print(line, end='', flush=True)\n"    # copies, as a filter or alone
GREETER = "print('hello', flush=True)\n" + LINES


class Bench:
    def __init__(self, args, folder):
        self.args = args
        self.effort = EFFORTS[args.effort]
        self.folder = folder
        cores = sorted(os.sched_getaffinity(0))
        self.all_cores, self.last_core = set(cores), {cores[-1]}
        self.accounts = Accounts(args.proc)
        self.floor = self.compile("floor")
        self.tls_floor, self.certificate = self.find_tls()
        self.programs = {"tiny": [self.compile("tiny", "-static")],
                         "copy": [self.compile("copy")],
                         "lines": [sys.executable, self.write("lines.py", LINES)],
                         "greeter": [sys.executable, self.write("greeter.py", GREETER)],
                         "zeroes": ["/bin/dd", "if=/dev/zero", "bs=64k", "count=1024", "status=none"],
                         "python": [sys.executable, self.write("tiny.py", 'print("tiny")\n')]}
        self.all_limits = all_limits(self.write("deny", prefixes(10000)))
        self.peers, self.missing = self.find_peers()
        self.verdicts = []
        self.report = {"drover_bench_report": 1, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "machine": machine(len(cores)), "cpu_time_from": self.accounts.name,
                       "rounds": args.rounds, "effort": args.effort, "workers": args.workers,
                       "candidate": " ".join(args.candidate or ["floor" if args.self else "drover"]),
                       "peers": list(self.peers), "missing": {p.name: p.how_to_install() for p in self.missing},
                       "scenarios": {}, "checks": {}, "verdicts": self.verdicts}

    def compile(self, name, *flags, to=None, libraries=()):
        out = os.path.join(self.folder, to or name)
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=gnu11", "-O2", *flags,
                        "-o", out, os.path.join(HERE, name + ".c"), *libraries], check=True)
        return out

    def find_tls(self):
        """The floor with OpenSSL, and a certificate; or nothing of both."""
        try:
            found = subprocess.run(["pkg-config", "--libs", "openssl >= 3.0"], capture_output=True, text=True, check=False)
        except OSError:
            return None, None
        if found.returncode != 0 or not has_openssl():
            return None, None
        floor = self.compile("floor", "-DFLOOR_TLS", to="tls-floor", libraries=found.stdout.split())
        return floor, Certificate(self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def find_peers(self):
        """Those that are installed, by name, and those wanted that are not."""
        folders = [*self.args.peers_path, *os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/sbin", "/sbin"]
        found, missing = {}, []
        for peer in PEERS:
            if peer.name in self.args.peers:
                program = peer.find(folders)
                if program:
                    found[peer.name] = (peer, program)
                else:
                    missing.append(peer)
        return found, missing

    # --- who is measured

    def cores_for_servers(self, same_core=False):
        """The client has the last core to itself, unless it is to share it."""
        if same_core:
            return self.last_core
        return self.all_cores if self.args.mixed else self.all_cores - self.last_core or self.all_cores

    def start(self, side, job):
        """A running server: drover, floor, or a peer by its name."""
        if side in self.peers:
            return PeerServer(self, *self.peers[side], job)
        return {"drover": start_candidate, "floor": start_floor, "echo": start_echo,
                "cold": start_cold, "unlimited": start_unlimited, "isolated": start_isolated}[side](self, job)

    def load(self, server, mode, connections, **options):
        return Load(self.args.client, server.address, self.last_core, mode, connections, **options)

    # --- what came out

    def verdict(self, name, good, text, clear=True, speed=True):
        """A target, met or not. One of speed means nothing where too little was measured."""
        if speed and not self.effort.judged:
            self.say(f"{name}: {text}; not judged")
            return
        self.verdicts.append({"name": name, "good": good, "clear": clear, "text": text})
        doubt = "" if clear else " (unclear: the interval spans the target)"
        print(f"{'PASS' if good else 'FAIL'}  {name}: {text}{doubt}", flush=True)

    def say(self, text):
        print(f"      {text}", flush=True)

    @property
    def passed(self):
        return all(v["good"] for v in self.verdicts)


def machine(n_cores):
    try:
        with open("/proc/cpuinfo") as f:
            model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "")
    except OSError:
        model = ""
    return {"cores": n_cores, "kernel": platform.release(), "processor": model or platform.machine(),
            "python": platform.python_version()}
