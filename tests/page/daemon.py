# SPDX-License-Identifier: GPL-3.0-or-later
"""
The real droverd with a service under load, for stories about the page that it serves.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

CONFIG = """
metrics = { listen = "127.0.0.1:0"; page = { addresses = true; }; };
control = { socket = "none"; };
state_dir = "%s/state";
%s
services = { busy = { listen = "127.0.0.1:0"; handler = { type = "echo"; }; workers = 2; }; };
"""


class Daemon:
    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="drover-page.")
        self.events = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.events.bind(self.folder + "/events")
        config = self.folder + "/drover.conf"
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % (self.folder, 'user = "root";' if os.geteuid() == 0 else ""))
        self.process = subprocess.Popen(
            [build + "/droverd", "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, DROVER_EVENTS=self.folder + "/events"))
        self.is_over = False
        self.busy = self.address("busy")
        host, port = self.address("metrics.listen")
        self.url = f"http://{host}:{port}/"
        self.wait_for("status-process-ready")
        self.load = threading.Thread(target=self.visit_again_and_again)
        self.load.start()

    def wait_for(self, words):
        """The next event that has all these words."""
        while True:
            event = self.events.recv(65536).decode()
            if all(word in event.split() for word in words.split()):
                return event

    def address(self, service):
        words = dict(word.split("=", 1) for word in self.wait_for("listening service=" + service).split()[1:])
        host, port = words["address"].rsplit(":", 1)
        return host, int(port)

    def visit_again_and_again(self):
        while not self.is_over:
            with socket.create_connection(self.busy) as client:
                client.sendall(b"x" * 1000)
                while client.recv(1000):
                    if self.is_over:
                        break
                    client.shutdown(socket.SHUT_WR)

    def close(self):
        self.is_over = True
        self.load.join()
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.events.close()
        shutil.rmtree(self.folder, ignore_errors=True)
