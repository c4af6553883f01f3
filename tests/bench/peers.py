# SPDX-License-Identifier: GPL-3.0-or-later
"""
Other servers, as fair as can be: as many workers as drover where they have
workers, their own limits lifted, no access log. Each runs as the present user,
in the foreground, on a free port of loopback, with all its files in a temporary
folder; nothing of the system's configuration is read or written.

A new one is a function that says how it is started, and a row in PEERS.
"""

import contextlib
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

from processes import Broken, wait_for
from servers import Drover, Job, Server
from tls import CIPHER

MANY = 1000000          # for limits that cannot be switched off
SOFT_FILES = 1024       # as usual: some close every descriptor there could be, for each connection
TLS_FILES = 65536       # two for each connection


@dataclass
class Place:
    """Where a peer runs; its function may choose another host and port."""
    folder: str
    host: str
    port: int
    certificate: object = None  # kinds of TLS
    backend: str = ""           # kind tls: the address of an echo without TLS, to stand in front of

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path


@dataclass
class Peer:
    name: str
    start_as: Callable          # (program, job, place): argv
    program: str
    package: str
    can: tuple                  # kinds of jobs
    process_each: bool = True   # a process or a thread for each connection
    client: dict = field(default_factory=dict)      # what the client does otherwise
    needs: Callable = None      # (program): whether what it needs besides is there
    hint: str = ""

    def find(self, folders):
        program = shutil.which(self.program, path=os.pathsep.join(folders))
        return program if program and (not self.needs or self.needs(program)) else None

    def how_to_install(self):
        return self.hint or f"apt-get install --no-install-recommends {self.package}"


class PeerServer(Server):
    """
    A peer that runs: it is ready when it accepts. With TLS it stands in front of
    drover, whose CPU time is charged to it; its memory is its own alone.
    """

    def __init__(self, bench, peer, program, job):
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=bench.folder))
            place = Place(folder, "127.0.0.1", free_port(), bench.certificate)
            self.backend = None
            if job.kind == "tls":
                self.backend = stack.enter_context(start_backend(bench, job))
                place.backend = self.backend.address
            argv = peer.start_as(program, job, place)
            self.to = (place.host, place.port)
            self.log = os.path.join(folder, "output")
            with open(self.log, "wb") as log:
                super().__init__(bench, argv, job, cwd=folder,
                                 soft_files=TLS_FILES if job.kind == "tls" else SOFT_FILES,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.kept = stack.pop_all()

    def wait_ready(self):
        try:
            wait_for(self.accepts, "its port opens")
        except Broken as e:
            raise Broken(f"{e}{self.last_words()}") from None
        self.address = "%s:%d" % self.to

    def seconds(self):
        return super().seconds() + (self.backend.seconds() if self.backend else 0)

    def accepts(self):
        if self.proc.poll() is not None:
            raise Broken(f"it ended{self.last_words()}")
        with socket.socket() as s:
            return s.connect_ex(self.to) == 0

    def last_words(self):
        with open(self.log, errors="replace") as f:
            lines = f.read().strip().splitlines()
        if lines:
            return f": {lines[-1]}"
        return "" if self.proc.returncode is None else f" with status {self.proc.returncode}"

    def end(self):
        super().end()
        if hasattr(self, "kept"):
            self.kept.close()


def start_backend(bench, job):
    """drover without TLS, with as many workers: the floor cannot echo a stream."""
    return Drover(bench, Job("echo", job.cores, job.workers, 2 * job.conns))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def user():
    return pwd.getpwuid(os.geteuid()).pw_name


def beside(program, *path):
    """A file of the same installation, which may be an unpacked package."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(program))), *path)


# --- those that start a process for each connection

def openbsd_inetd(program, job, place):
    service, what = str(place.port), f"{job.argv[0]} {' '.join(job.argv)}" if job.argv else "/bin/cat cat"
    if job.kind == "greet" or (job.kind == "echo" and os.geteuid() == 0):
        # What is built in has its name, and so its port: an address of our own, then.
        if os.geteuid() != 0:
            raise Broken("not asked for: its port needs root")
        service, place.port = {"echo": ("echo", 7), "greet": ("daytime", 13)}[job.kind]
        place.host = "127.%d.%d.%d" % tuple(random.randint(1, 254) for _ in range(3))
        what = "internal"
    conf = place.write("inetd.conf", f"{place.host}:{service} stream tcp nowait {user()} {what}\n")
    return [program, "-i", "-R", str(MANY), "-q", "4096", conf]


def xinetd(program, job, place):
    name, kind, more = "bench", "UNLISTED", ""
    if job.kind == "exec":
        more = f"server = {job.argv[0]}" + (f"\n server_args = {' '.join(job.argv[1:])}" if job.argv[1:] else "")
    else:
        name, kind = {"echo": "echo", "greet": "daytime"}[job.kind], "INTERNAL UNLISTED"
    conf = place.write("xinetd.conf", f"""
service {name}
{{
 type = {kind}
 id = {name}-stream
 socket_type = stream
 protocol = tcp
 wait = no
 flags = NOLIBWRAP
 user = {user()}
 bind = {place.host}
 port = {place.port}
 instances = UNLIMITED
 per_source = UNLIMITED
 cps = {MANY} 1
 {more}
}}
""")
    return [program, "-dontfork", "-stayalive", "-f", conf, "-pidfile", f"{place.folder}/pid",
            "-filelog", f"{place.folder}/output"]


def tcpserver(program, job, place):
    argv = job.argv or ["/bin/cat"]
    return [program, "-q", "-H", "-R", "-D", "-l", "0", "-b", "4096", "-c", str(MANY),
            place.host, str(place.port), *argv]


def socat(program, job, place):
    listen = f"TCP4-LISTEN:{place.port},bind={place.host},reuseaddr,nodelay,backlog=4096,fork"
    return [program, listen, "EXEC:" + " ".join(job.argv) if job.argv else "PIPE"]


# --- those that fork before a connection comes, and serve one at a time

def processes_for(job):
    return job.conns + 16


def apache(program, job, place):
    n = processes_for(job)
    modules = beside(program, "lib", "apache2", "modules")
    # It refuses to serve as root.
    identity = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    conf = place.write("apache.conf", f"""
ServerRoot {place.folder}
ServerName localhost
PidFile {place.folder}/pid
ErrorLog {place.folder}/output
LogLevel error
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule echo_module {modules}/mod_echo.so
{identity}
Listen {place.host}:{place.port}
ListenBacklog 4096
AcceptFilter http none
AcceptFilter https none
ProtocolEcho On
Timeout 3600
ServerLimit {n}
MaxRequestWorkers {n}
StartServers {n}
MinSpareServers 1
MaxSpareServers {n}
MaxConnectionsPerChild 0
""")
    return [program, "-DFOREGROUND", "-f", conf]


def net_server(program, job, place):
    n = processes_for(job)
    script = place.write("server.pl", """
package Bench;
use strict;
use base "Net::Server::PreFork";
sub process_request {
    my $client = $_[0]{server}{client};
    %s
}
Bench->run(host => "%s", port => %d, ipv => 4, listen => 4096, user => $>, group => $) + 0, log_level => 0,
    min_servers => %d, max_servers => %d, min_spare_servers => 1, max_spare_servers => %d, max_requests => %d);
""" % ({"echo": "my $buf; while (sysread $client, $buf, 65536) { syswrite $client, $buf }",
        "greet": 'syswrite $client, localtime() . "\\r\\n";'}[job.kind],
       place.host, place.port, n, n, n - 1, MANY))
    return [program, script]


# --- those that serve many at a time

def nginx(program, job, place):
    if job.kind == "tls":
        server = f"""listen {place.host}:{place.port} ssl backlog=4096; proxy_pass {place.backend};
    ssl_certificate {place.certificate.chain}; ssl_certificate_key {place.certificate.key};
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER}; ssl_session_cache none; ssl_session_tickets on;
    proxy_timeout 1h; tcp_nodelay on;"""
    else:
        server = f'listen {place.host}:{place.port} backlog=4096; return "as many bytes as a date.\r\n";'
    module = beside(program, "lib", "nginx", "modules", "ngx_stream_module.so")
    load = f"load_module {module};" if os.path.exists(module) else ""
    identity = "user root;" if os.geteuid() == 0 else ""
    conf = place.write("nginx.conf", f"""
{load} {identity}
daemon off;
worker_processes {job.workers};
worker_rlimit_nofile 65536;
pid {place.folder}/pid;
error_log {place.folder}/output error;
events {{ worker_connections 32768; }}
stream {{
  access_log off;
  server {{ {server} }}
}}
""")
    return [program, "-p", place.folder, "-c", conf, "-e", f"{place.folder}/output"]


def haproxy(program, job, place):
    if job.kind == "tls":
        return haproxy_tls(program, job, place)
    # receive(n) waits for n bytes: the client's messages have 64.
    script = place.write("echo.lua", """
core.register_service("echo", "tcp", function(applet)
    while true do
        local message = applet:receive(64)
        if not message or #message == 0 then return end
        applet:send(message)
    end
end)
""")
    conf = place.write("haproxy.conf", f"""
global
  maxconn 16384
  no strict-limits
  nbthread {job.workers}
  tune.lua.service-timeout 0
  lua-load {script}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend bench
  bind {place.host}:{place.port} backlog 4096
  tcp-request content use-service lua.echo
""")
    return [program, "-db", "-q", "-f", conf]


# --- those that speak TLS in front of an echo

def haproxy_tls(program, job, place):
    conf = place.write("haproxy.conf", f"""
global
  maxconn 16384
  no strict-limits
  nbthread {job.workers}
  ssl-default-bind-ciphersuites {CIPHER}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen bench
  bind {place.host}:{place.port} backlog 4096 ssl crt {place.certificate.both} ssl-min-ver TLSv1.3
  server echo {place.backend}
""")
    return [program, "-db", "-q", "-f", conf]


def hitch(program, job, place):
    host, port = place.backend.split(":")
    conf = place.write("hitch.conf", f"""
frontend = {{ host = "{place.host}" port = "{place.port}" }}
backend = "[{host}]:{port}"
pem-file = "{place.certificate.both}"
workers = {job.workers}
backlog = 4096
tls-protos = TLSv1.3
ciphersuites = "{CIPHER}"
{'user = "root"' if os.geteuid() == 0 else ''}
daemon = off
log-level = 0
""")
    return [program, f"--config={conf}"]


def stunnel(program, job, place):
    if job.argv:
        to = f"exec = {job.argv[0]}" + (f"\nexecArgs = {' '.join(job.argv)}" if job.argv[1:] else "")
    else:
        to = f"connect = {place.backend}"
    conf = place.write("stunnel.conf", f"""
foreground = yes
debug = 0
pid =
[bench]
accept = {place.host}:{place.port}
{to}
cert = {place.certificate.chain}
key = {place.certificate.key}
sslVersionMin = TLSv1.3
ciphersuites = {CIPHER}
TIMEOUTidle = 3600
libwrap = no
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
""")
    return [program, conf]


def has_net_server(program):
    return subprocess.run([program, "-MNet::Server::PreFork", "-e", "1"], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def has_mod_echo(program):
    return os.path.exists(beside(program, "lib", "apache2", "modules", "mod_echo.so"))


XINETD_HINT = ("apt-get install xinetd; or, beside openbsd-inetd, which it conflicts with: apt-get download xinetd"
               " && dpkg -x xinetd_*.deb DIR, then --peers-path DIR/usr/sbin")

# Options of the client that a peer asks for.
LINES = {"size": 63, "answer": "line", "echo": None}    # it echoes only lines
ONE_SOURCE = {"source": "127.0.0.1"}    # it looks up the name of each client, and this is in /etc/hosts

PEERS = [
    Peer("openbsd-inetd", openbsd_inetd, "inetd", "openbsd-inetd", ("echo", "exec", "greet")),
    Peer("xinetd", xinetd, "xinetd", "xinetd", ("echo", "exec", "greet"), hint=XINETD_HINT,
         client=ONE_SOURCE),
    Peer("tcpserver", tcpserver, "tcpserver", "ucspi-tcp", ("echo", "exec")),      # its echo is cat
    Peer("socat", socat, "socat", "socat", ("echo", "exec")),
    Peer("apache", apache, "apache2", "apache2-bin", ("echo",), needs=has_mod_echo,
         client=LINES),
    Peer("net-server", net_server, "perl", "libnet-server-perl", ("echo", "greet"), needs=has_net_server),
    Peer("nginx", nginx, "nginx", "nginx-light libnginx-mod-stream", ("greet", "tls"), process_each=False),
    Peer("haproxy", haproxy, "haproxy", "haproxy", ("echo", "tls"), process_each=False),
    Peer("hitch", hitch, "hitch", "hitch", ("tls",), process_each=False),
    Peer("stunnel", stunnel, "stunnel", "stunnel4", ("tls", "tls-exec")),
]
