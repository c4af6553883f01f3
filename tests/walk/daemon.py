# SPDX-License-Identifier: GPL-3.0-or-later
"""The server under test: its start, its operator's commands, its end, and what it leaves behind."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import time

READY_S = 60            # a sanitizer build on a busy machine
STOP_S = 90
PR_SET_CHILD_SUBREAPER = 36


class Trouble(Exception):
    """Something that ends the walk."""


class Daemon:
    def __init__(self, folder):
        self.folder = folder
        self.control = os.path.join(folder, "control.sock")
        self.config = os.path.join(folder, "drover.conf")
        self.process = None
        # What outlives the master becomes our child, and is found in the end.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- life ---------------------------------------------------------------

    def _environment(self, notify):
        logs = self.path("sanitizer")
        return dict(os.environ, NOTIFY_SOCKET=notify,
                    ASAN_OPTIONS=f"log_path={logs}:{os.environ.get('ASAN_OPTIONS', '')}",
                    UBSAN_OPTIONS=f"print_stacktrace=1:log_path={logs}")

    def start(self, configuration):
        """Returns when the server is ready."""
        self.configure(configuration)
        notify = self.path("notify.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(self.path("daemon.log"), "wb") as log:
            ready.bind(notify)
            ready.settimeout(READY_S)
            self.process = subprocess.Popen([os.environ["DROVERD"], "-c", self.config], stderr=log,
                                            stdin=subprocess.DEVNULL, env=self._environment(notify))
            try:
                while b"READY=1" not in ready.recv(4096):
                    pass
            except TimeoutError:
                raise Trouble("the server did not become ready") from None

    def check_alive(self):
        if self.process.poll() is not None:
            raise Trouble(f"the master ended with status {self.process.returncode}")

    def kill(self, number):
        self.check_alive()
        self.process.send_signal(number)

    def stop(self):
        """Ends the server; what is wrong with its end."""
        if not self.process:
            return []
        findings = []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_S)
            if status != 0:
                findings.append(f"the server exited with status {status}")
        except subprocess.TimeoutExpired:
            findings.append(f"the server did not stop within {STOP_S} s")
            self.process.kill()
            self.process.wait()
        return findings + self._orphans()

    @staticmethod
    def _orphans():
        """Processes that outlived their master: none may."""
        findings = []
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return findings
            if pid == 0:
                pid = int(open(f"/proc/self/task/{os.getpid()}/children").read().split()[0])
                findings.append(f"process {pid} outlived the master: {command_line(pid)}")
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    # ---- configuration and commands -----------------------------------------

    def configure(self, text):
        with open(self.config + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.config + ".new", self.config)

    def ctl(self, *arguments):
        """A command of droverctl: what it printed as JSON, or None if it failed."""
        done = subprocess.run([os.environ["DROVERCTL"], "-s", self.control, "--json", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        self.check_alive()
        return json.loads(done.stdout) if done.returncode == 0 else None

    def workers(self):
        answer = self.ctl("workers")
        return answer["workers"] if answer else []

    def port(self, service):
        """The TCP port of a service that listens on port 0; None while the server does not answer."""
        answer = self.ctl("services")
        for row in answer["services"] if answer else []:
            for address in row["listen"] if row["name"] == service else []:
                if address.startswith("127.0.0.1:"):
                    return int(address.rpartition(":")[2])
        return None

    def is_at_rest(self):
        """Nothing is under way, and all workers are of the newest generation."""
        status, workers = self.ctl("status"), self.workers()
        return bool(status and workers and status["phase"] == "serving" and
                    all(w["generation"] == status["generation"] and w["state"] == "accepting" for w in workers))

    # ---- what is left -------------------------------------------------------

    def descriptors(self):
        """What the master's descriptors are, once nothing is under way."""
        end = time.monotonic() + 60
        while not self.is_at_rest():
            if time.monotonic() > end:
                raise Trouble("the server did not come to rest within 60 s")
            time.sleep(0.05)
        folder = f"/proc/{self.process.pid}/fd"
        found = []
        for fd in os.listdir(folder):
            try:
                found.append(os.readlink(os.path.join(folder, fd)).split(":")[0])
            except FileNotFoundError:
                pass
        return sorted(found)

    def compare_descriptors(self, before):
        after = self.descriptors()
        kinds = {kind for kind in before + after if after.count(kind) > before.count(kind)}
        return [f"the master has {after.count(k)} descriptors of {k}, and had {before.count(k)}" for k in sorted(kinds)]

    def sanitizer_reports(self):
        found = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("sanitizer."):
                text = open(self.path(name), encoding="utf-8", errors="replace").read()
                found.append(f"{name}: " + "\n    ".join(text.splitlines()[:30]))
        return found

    def defects(self):
        """What the master says of itself, such as a phase that may not follow another one."""
        with open(self.path("daemon.log"), encoding="utf-8", errors="replace") as log:
            return [line.strip() for line in log if "defect of drover" in line]


def command_line(pid):
    try:
        return open(f"/proc/{pid}/cmdline", "rb").read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"
