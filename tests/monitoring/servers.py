# SPDX-License-Identifier: GPL-3.0-or-later
"""
A droverd with a service of each kind, and a Prometheus that asks it.
"""
import contextlib
import json
import os
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request


class Broken(Exception):
    pass


class Process:
    """One that we have started. The stack ends it."""

    def __init__(self, stack, folder, name, argv, **environment):
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **environment})
        self.pidfd = os.pidfd_open(self.process.pid)
        stack.callback(self.end)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def has_ended(self, within=0):
        return bool(select.select([self.pidfd], [], [], within)[0])

    def end(self):
        if self.process.returncode is None:
            self.process.terminate()
            self.process.wait()
            os.close(self.pidfd)


class Drover(Process):
    """droverd. Its events are only heard until it is ready."""

    def __init__(self, stack, folder, program, operator, has_tls):
        self.operator = operator
        self.control = os.path.join(folder, "control.sock")
        self.addresses = {"p": os.path.join(folder, "p.sock")}
        config = os.path.join(folder, "drover.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(self.configuration(folder, has_tls))
        path = os.path.join(folder, "events")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as events:
            events.bind(path)
            super().__init__(stack, folder, "droverd", [program, "-c", config], DROVER_EVENTS=path)
            self.wait_until_ready(events)

    def wait_until_ready(self, events):
        missing = {"ready", "status-process-ready"}
        while missing:
            if events not in select.select([events, self.pidfd], [], [])[0]:
                raise Broken("droverd has ended:\n" + self.said())
            event = events.recv(65536).decode()
            missing.discard(event.split()[0])
            listens = re.match(r"listening service=(\S+) address=(\S+:\d+)$", event)
            if listens:
                self.addresses[listens[1]] = listens[2]

    def configuration(self, folder, has_tls):
        tls = ""
        if has_tls:
            tls = f"""t = {{ listen = "127.0.0.1:0"; handler = {{ type = "echo"; }}; workers = 1;
                tls = {{ chain = "{folder}/chain.pem"; key = "{folder}/key.pem"; }}; }};"""
        return f"""
            user = "{pwd.getpwuid(os.geteuid()).pw_name}";
            state_dir = "{folder}/state";
            control = {{ socket = "{self.control}"; }};
            metrics = {{ listen = "127.0.0.1:0"; }};
            services = {{
                e = {{ listen = "127.0.0.1:0"; handler = {{ type = "echo"; }}; workers = 2; }};
                r = {{ listen = "127.0.0.1:0"; handler = {{ type = "echo"; }}; workers = 1;
                      limits = {{ connections_per_source = 2; }}; poison = {{ block = "1h"; }}; }};
                p = {{ listen = "unix:{self.addresses['p']}"; workers = 1;
                      handler = {{ type = "exec"; argv = "/bin/cat"; }}; }};
                f = {{ listen = "127.0.0.1:0"; workers = 1;
                      handler = {{ type = "filter"; framing = "line"; argv = [ "/bin/sed", "-u", "s/a/a/" ]; }}; }};
                w = {{ listen = "127.0.0.1:0"; workers = 1;
                      handler = {{ type = "exec"; argv = "/bin/cat"; warm = 1; }}; }};
                {tls}
            }};"""

    def ask(self, *arguments):
        """What droverctl prints."""
        return subprocess.run([self.operator, "-s", self.control, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def connect(self, service):
        host, colon, port = self.addresses[service].rpartition(":")
        if colon:
            return socket.create_connection((host, int(port)))
        client = socket.socket(socket.AF_UNIX)
        client.connect(port)
        return client

    def greets(self, service):
        """False if the client is refused, and True if its line comes back."""
        client = self.connect(service)
        self.open.callback(client.close)
        with contextlib.suppress(ConnectionError):
            client.sendall(b"hello\n")
            return client.recv(6, socket.MSG_WAITALL) == b"hello\n"
        return False

    def traffic(self):
        """Clients of each service without TLS. An address can have two connections to r, and gets no third."""
        with contextlib.ExitStack() as self.open:
            for service in "epfw":
                if not self.greets(service):
                    raise Broken(f"{service} does not answer")
            if all([self.greets("r") for _ in range(3)]):
                raise Broken("r serves a third client")

    def kill_worker(self, service):
        workers = json.loads(self.ask("--json", "workers"))["workers"]
        os.kill(next(w["pid"] for w in workers if w["service"] == service), signal.SIGKILL)


class Prometheus(Process):
    """
    One with a database of its own. It cannot listen on port 0 and say what it got: it is given a port
    that was free a moment ago, and another one if somebody else has taken that.
    """

    PATIENCE_S = 60 * int(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))

    def __init__(self, stack, folder, config):
        path = os.path.join(folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        while True:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                address = "127.0.0.1:%d" % taken.getsockname()[1]
            shutil.rmtree(os.path.join(folder, "data"), ignore_errors=True)
            super().__init__(stack, folder, "prometheus", [
                "prometheus", "--config.file=" + path, "--storage.tsdb.path=" + os.path.join(folder, "data"),
                "--web.listen-address=" + address, "--log.level=warn"])
            self.url = f"http://{address}/"
            with contextlib.suppress(Broken):
                self.until(lambda: (self.api("status/flags") or {}).get("config.file") == path)
                return
            said = self.said()
            self.end()
            if "address already in use" not in said:
                raise Broken("Prometheus does not start:\n" + said)

    def get(self, path, **query):
        """The answer, or None if there is none yet."""
        url = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        try:
            with urllib.request.urlopen(url, timeout=self.PATIENCE_S / 10) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:
                    return None         # it is starting
                raise Broken(f"{path} {query}: {error.read().decode()}") from None
        except OSError:
            return None                 # it does not listen yet, or is busy

    def api(self, path, **query):
        answer = self.get("api/v1/" + path, **query)
        return json.loads(answer)["data"] if answer else None

    def query(self, expression):
        """Samples: pairs of labels and a number."""
        found = self.api("query", query=expression)
        return [(s["metric"], float(s["value"][1])) for s in found["result"]] if found else []

    def until(self, condition, between=lambda: None):
        """
        What the condition returns, as soon as that is true. This is the only place of the tests that looks
        again and again: Prometheus asks a target once in a second, and tells nobody when it has done so. The
        wait between two looks ends when Prometheus does.
        """
        end = time.monotonic() + self.PATIENCE_S
        while True:
            result = condition()
            if result:
                return result
            between()
            if self.has_ended(0.2):
                raise Broken("Prometheus has ended:\n" + self.said())
            if time.monotonic() > end:
                raise Broken(f"Prometheus does not come to it in {self.PATIENCE_S} s:\n" + self.said())
