# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step of the walk may be. Each is a method; its weight stands beside it in STEPS."""

import os
import signal
import time

from daemon import Trouble
from load import SERVICES

SETTLE_S = 120
WRONG = (
    "services = {",
    "services = { echo = { listen = \"*:nosuchport\"; handler = { type = \"echo\"; }; }; };",
    "usr = \"drover\";",
    "services = { echo = { listen = \"unix:/nonexistent/x.sock\"; handler = { type = \"echo\"; }; }; };",
    "\0\0\0",
)


class Walker:
    def __init__(self, daemon, load, chance, verbose):
        self.daemon, self.load, self.chance, self.verbose = daemon, load, chance, verbose
        self.text = None        # the last configuration that is right

    # ---- configurations -----------------------------------------------------

    def _service(self, name, listen, handler, more=""):
        return f"  {name} = {{ listen = \"{listen}\"; handler = {{ {handler} }}; {more} }};\n"

    def _configuration(self, chance):
        """Right, and never without the services that clients ask; by chance, but for chance None."""
        def pick(*choices):
            return chance.choice(choices) if chance else choices[0]

        def sizes():
            return (pick("workers = 2;", "workers = 1;", "workers = 4;", "workers = { min = 1; max = 4; };",
                         "workers = { min = 0; max = 3; };") +
                    pick(" connections = 32;", " connections = 8;", " connections = 100;") +
                    pick("", " max_accepts = 40;"))

        def unix(name):
            return "unix:" + self.daemon.path(name + ".sock")

        text = (f"control = {{ socket = \"{self.daemon.control}\"; }};\n"
                f"state_dir = \"{self.daemon.folder}\";\nshutdown_timeout = \"60s\";\n")
        if os.geteuid() == 0:
            text += "user = \"root\";\n"
        text += pick("", f"access_log = {{ target = \"{self.daemon.path('access.log')}\"; }};\n")
        text += "services = {\n"
        text += self._service("echo", unix("echo"), "type = \"echo\";", sizes())
        text += self._service("tcp", "127.0.0.1:0", "type = \"echo\";", sizes())
        text += self._service("cat", unix("cat"), "type = \"exec\"; argv = [ \"/bin/cat\" ];", sizes())
        text += self._service("lines", unix("lines"), "type = \"filter\"; framing = \"line\"; argv = [ \"/bin/cat\" ];" +
                              pick("", " in_flight = 8;", " processes = 2;", " max_requests = 20;"), sizes())
        text += self._service("warm", unix("warm"), "type = \"exec\"; argv = [ \"/bin/cat\" ]; warm = " +
                              pick("2;", "1;", "4;"), sizes())
        text += pick("", self._service("extra", unix("extra"), "type = \"discard\";"))
        return text + "};\n"

    def first_configuration(self):
        self.text = self._configuration(None)
        return self.text

    # ---- steps --------------------------------------------------------------

    def send_signal(self):
        names = ("HUP", "USR1", "USR2", "TTIN", "TTOU")
        self.daemon.kill(signal.Signals["SIG" + self.chance.choice(names)])

    def reload(self):
        self.text = self._configuration(self.chance)
        self.daemon.configure(self.text)
        if self.chance.random() < 0.5:
            self.daemon.kill(signal.SIGHUP)
        else:
            self.daemon.ctl("reload")

    def reload_wrong(self):
        self.daemon.configure(self.chance.choice(WRONG))
        if self.daemon.ctl("reload"):
            raise Trouble("a wrong configuration was loaded")
        self.daemon.configure(self.text)

    def rest(self):
        self.daemon.kill(signal.SIGWINCH)
        time.sleep(self.chance.uniform(0, 0.1))
        self.daemon.ctl("reload")
        self.daemon.kill(signal.SIGHUP)

    def drain(self):
        service = self.chance.choice(SERVICES)
        self.daemon.ctl("drain", service)
        self.daemon.ctl("resume", service)

    def scale(self):
        self.daemon.ctl("scale", self.chance.choice(SERVICES), self.chance.choice(("+1", "-1", "1", "3")))

    def look(self):
        self.daemon.ctl(self.chance.choice(("status", "services", "workers", "connections", "sources", "crashes",
                                            "check")))

    def upgrade(self):
        self.daemon.ctl("upgrade")

    def reopen_logs(self):
        self.daemon.ctl("reopen-logs")

    def kill_worker(self):
        """KILL and INT may cost connections; TERM and QUIT only drain."""
        workers = self.daemon.workers()
        if not workers:
            return
        worker = self.chance.choice(workers)
        name = self.chance.choice(("KILL", "INT", "TERM", "QUIT"))
        excuse = self.load.excuse(worker["service"]) if name in ("KILL", "INT") else None
        try:
            os.kill(worker["pid"], signal.Signals["SIG" + name])
        except ProcessLookupError:
            pass
        if excuse:
            self._wait_for_end(worker["pid"])
            self.load.excuse_ends(excuse)

    @staticmethod
    def _wait_for_end(pid):
        """Until then, its connections are not lost yet."""
        end = time.monotonic() + SETTLE_S
        while time.monotonic() < end:
            try:
                if open(f"/proc/{pid}/stat", "rb").read().rpartition(b")")[2].split()[0] in (b"Z", b"X"):
                    return
            except OSError:
                return
            time.sleep(0.002)

    def pause_worker(self):
        workers = self.daemon.workers()
        try:
            pid = self.chance.choice(workers)["pid"] if workers else 0
            if pid:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self.chance.uniform(0, 0.1))
                os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def kick(self):
        answer = self.daemon.ctl("connections")
        if not answer or not answer["connections"]:
            return
        connection = self.chance.choice(answer["connections"])
        excuse = self.load.excuse(connection["service"])
        self.daemon.ctl("kick", connection["id"])
        self.load.excuse_ends(excuse)

    def remove_socket(self):
        """Clients find no file until the next reload that succeeds makes it again."""
        service = self.chance.choice([s for s in SERVICES if s != "tcp"])
        excuse = self.load.excuse(service)
        try:
            os.unlink(self.daemon.path(service + ".sock"))
        except FileNotFoundError:
            pass
        self._reload_until_done()
        self.load.excuse_ends(excuse)

    STEPS = (
        (send_signal, 6), (reload, 6), (reload_wrong, 2), (rest, 1), (drain, 3), (scale, 4), (look, 8), (upgrade, 1),
        (reopen_logs, 1), (kill_worker, 4), (pause_worker, 2), (kick, 2), (remove_socket, 1),
    )

    def step(self):
        rows, weights = zip(*self.STEPS)
        chosen = self.chance.choices(rows, weights)[0]
        if self.verbose:
            print(chosen.__name__, flush=True)
        chosen(self)
        time.sleep(self.chance.choice((0, 0, 0.005, 0.02)))
        self.daemon.check_alive()

    # ---- between steps ------------------------------------------------------

    def _reload_until_done(self):
        """Another change may be under way, or the phase may not allow it: asked again, for a while."""
        end = time.monotonic() + SETTLE_S
        while not self.daemon.ctl("reload"):
            if time.monotonic() > end:
                raise Trouble(f"no reload succeeds within {SETTLE_S} s")
            time.sleep(0.05)

    def settle(self):
        """All services serve, whatever happened before."""
        self._reload_until_done()
        for service in SERVICES:
            wrong = self.load.probe(service)
            if wrong:
                raise Trouble(f"{service} does not serve: {wrong}")

    def return_home(self):
        """The configuration of the beginning, and nothing under way."""
        self.daemon.configure(self.first_configuration())
        self.settle()
