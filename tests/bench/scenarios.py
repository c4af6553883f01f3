# SPDX-License-Identifier: GPL-3.0-or-later
"""
Scenarios: drover, the floor and the peers one after the other under the same
client, round after round, and what that says of the targets.

A new one is a row in SCENARIOS; if its servers are to do something new, also a
kind of job that servers.py and peers.py know how to start.
"""

import statistics
from dataclasses import dataclass, field, replace

from figures import at_least, at_most, bracket, ratio_text, ratios, summary, whole_of
from processes import TICK, Broken, cpu_seconds, machine_seconds
from servers import Job, settle
from tls import complaint

CPU_AT_MOST = 1.03              # of the floor's; with all limits, of that without them
LIMITS_CONNECT_AT_MOST = 1.05   # the same for a connection, which is when limits are checked
EXEC_SPEED_AT_LEAST = .97       # of the floor's
P99_AT_MOST = 1.2               # of the floor's
COPY_SPEED_AT_LEAST = .5        # of the built-in echo's
FILTER_AHEAD_AT_LEAST = 200     # times the requests of a process for each connection
WARM_SOONER_AT_LEAST = 20       # times sooner than a cold start, at p50
WARM_LOAD = 1 / 3               # of what the CPUs can start cold: all are asked at that rate
FLAT_AT_MOST = 1.15             # of the CPU time of an operation at 16 connections, or what the floor's grows by
TLS_CPU_AT_MOST = 1.05          # of the floor's with OpenSSL
TLS_BULK_SPEED_AT_LEAST = .9    # of the same
TLS_ISOLATED_AT_LEAST = .9      # handshakes a CPU second with isolated keys, of those without
PROCESSES_AT_MOST = 1024        # what is asked of servers with a process for each connection
PEER_ROUNDS = 3
PEER_SECONDS = 1.5              # a slice of a peer takes no longer, however slow it is
LONGEST_SECONDS = 60            # nor one of drover or the floor


@dataclass
class Scenario:
    what: str                   # for the report
    kind: str                   # of job
    mode: str                   # of the client
    conns: int
    count: int                  # operations of a round; of how many a slice takes is said by the effort
    program: str = ""           # kinds with programs
    handler: str = ""           # what drover's handler has besides
    same_core: bool = False
    judge: str = "cpu"          # which target: cpu, speed, copy, ahead, sooner; none
    #                                           of TLS: tls, handshakes, bulk, isolated, rivals
    cpu_at_most: float = CPU_AT_MOST
    p99: bool = False           # whether the slowest in a hundred are judged as well
    rounds: int = 0             # at most; 0: as many as asked for
    quick: bool = True          # part of --quick
    client: dict = field(default_factory=dict)      # more options of the client

    def client_options(self, peer):
        options = {"echo": {"size": 64},
                   "limits": {"size": 64},
                   "exec": {"size": 0, "answer": "eof", "expect": "tiny\\n"},
                   "greet": {"size": 0, "answer": "eof"},
                   "filter": {"size": 63, "answer": "line", "echo": None},
                   "warm": {"size": 0, "answer": "length:6", "expect": "hello\\n"} if self.program == "greeter" else
                           {"size": 63, "answer": "line", "echo": None},
                   "bulk": {"size": 0, "answer": "eof", "max-answer": "64M"},
                   "tls": {"size": 64},
                   "tls-exec": {"size": 0, "answer": "eof", "expect": "tiny\\n"}}[self.kind]
        return options | self.client | client_for(peer, self.kind)

    def job_of(self, peer):
        """Some kinds are programs for connections, which everybody can start."""
        if self.kind == "limits":
            return "echo"
        return "exec" if self.kind in ("warm", "bulk") or (peer and self.kind == "filter") else self.kind

    def mode_of(self, peer):
        """Who starts a process for each connection needs one for each request."""
        return "connect" if peer and self.kind == "filter" else self.mode

    def sides(self):
        """drover, and what it is compared with."""
        if self.judge == "isolated":
            return ["isolated", "drover"]
        return {"greet": ["drover"], "filter": ["drover", "echo"], "warm": ["drover", "cold"],
                "bulk": ["drover", "cold"], "limits": ["drover", "unlimited"],
                "tls-exec": ["drover"]}.get(self.kind, ["drover", "floor"])

    def is_tls(self):
        return self.kind.startswith("tls")

    def asks(self, peer):
        """Whether that peer takes part: the script of a filter is a program that it can start."""
        if self.judge == "isolated":
            return False
        if self.kind in ("filter", "warm"):
            return "exec" in peer.can and self.judge in ("ahead", "sooner")
        return self.kind in peer.can


WHOSE = {"floor": "the floor's", "unlimited": "that without limits"}


def client_for(peer, kind):
    """What this peer, if it is one, asks of the client."""
    return {name: value for name, value in (peer.client if peer else {}).items()
            if kind == "echo" or name == "source"}


SCENARIOS = {
    "echo-1": Scenario("echo on 1 connection, client and server on one core", "echo", "ping-pong", 1, 150000,
                       same_core=True),
    "echo-16": Scenario("echo on 16 connections", "echo", "ping-pong", 16, 400000),
    "echo-256": Scenario("echo on 256 connections", "echo", "ping-pong", 256, 400000, p99=True),
    "echo-4096": Scenario("echo on 4,096 connections", "echo", "ping-pong", 4096, 400000),
    "connect-16": Scenario("connect, echo, close; 16 at once", "echo", "connect", 16, 60000),
    "limits-echo-16": Scenario("echo on 16 connections with all limits on, beside drover without limits", "limits",
                               "ping-pong", 16, 240000),
    "limits-connect-16": Scenario("connect, echo, close with all limits on; 16 at once", "limits",
                                  "connect", 16, 40000, cpu_at_most=LIMITS_CONNECT_AT_MOST),
    "exec-tiny": Scenario("connect, a tiny C program runs; 16 at once", "exec", "connect", 16, 4000, "tiny",
                          judge="speed"),
    "exec-python": Scenario("connect, a Python script runs; 16 at once", "exec", "connect", 16, 120, "python",
                            judge="none", rounds=3, quick=False),
    "filter-copy": Scenario("a filter in C that copies, beside the built-in echo; 16 connections", "filter",
                            "ping-pong", 16, 400000, "copy", "in_flight = 64;", judge="copy"),
    # Each request is two changes of process and wakes its client by itself: the kernel's cost, not to be judged.
    "filter-copy-1": Scenario("the same with one request at a time in each process", "filter",
                              "ping-pong", 16, 200000, "copy", "in_flight = 1;", judge="none", rounds=3),
    "filter-python": Scenario("a Python script, line by line, as a filter; 16 connections", "filter",
                              "ping-pong", 16, 200000, "lines", "in_flight = 64;", judge="ahead"),
    "warm-python": Scenario("connect, the greeting of a Python script that waited; arrivals by chance", "warm",
                            "open-loop", 64, 48, "greeter", "warm = 4;", judge="sooner", rounds=3, quick=False),
    "warm-lines": Scenario("the same, but the answer to a line: the script has something to do first", "warm",
                           "open-loop", 64, 48, "lines", "warm = 4;", judge="none", rounds=3, quick=False),
    "warm-bulk": Scenario("64 MiB from a program that waited, beside one that has the socket itself", "bulk",
                          "connect", 1, 160, "zeroes", "warm = 4;", judge="none", rounds=3),
    # Client and server take as long for a handshake, and the client has one core: what a server can do
    # is told by its CPU time.
    "tls-echo-16": Scenario("echo over TLS 1.3 on 16 connections", "tls", "ping-pong", 16, 200000, judge="tls"),
    "tls-echo-256": Scenario("echo over TLS 1.3 on 256 connections", "tls", "ping-pong", 256, 200000, judge="tls"),
    "tls-full": Scenario("connect, full handshake (P-256), echo, close; 16 at once", "tls", "connect", 16, 8000,
                         judge="handshakes"),
    "tls-isolated": Scenario("the same with private keys in a process of their own, beside workers that have them",
                             "tls", "connect", 16, 8000, judge="isolated"),
    "tls-resumed": Scenario("connect, resumed handshake, echo, close; 16 at once", "tls", "connect", 16, 12000,
                            judge="handshakes", client={"resume": None}),
    "tls-bulk": Scenario("64 MiB there and back over TLS 1.3, in messages of 64 KiB; 1 connection", "tls", "stream", 1,
                         16384, judge="bulk", client={"size": "64k", "echo": None}),
    "tls-exec": Scenario("connect over TLS 1.3, a tiny C program runs; 16 at once", "tls-exec", "connect", 16, 4000,
                         "tiny", judge="rivals"),
    "greet-16": Scenario("connect, read a line to the end; 16 at once", "greet", "connect", 16, 60000,
                         judge="none", rounds=3, quick=False),
}


def starts_a_second(bench, scenario):
    """How many such programs the CPUs can start."""
    s = run_slice(bench, "cold", replace(scenario, mode="connect", conns=min(16, bench.effort.starts)),
                  bench.effort.starts)
    return s["ops"] / s["seconds"]


def run_slice(bench, side, scenario, count, rate=None):
    """One server, one load: what was done, and what it took. rate: of arrivals, in mode open-loop."""
    peer = bench.peers[side][0] if side in bench.peers else None
    job = Job(scenario.job_of(peer), bench.cores_for_servers(scenario.same_core), bench.args.workers,
              scenario.conns, bench.programs.get(scenario.program, []), scenario.handler,
              bench.all_limits if scenario.kind == "limits" else "")
    options = scenario.client_options(peer)
    if scenario.is_tls():
        options |= bench.certificate.client_options()
    longest = PEER_SECONDS if peer else LONGEST_SECONDS
    mode = scenario.mode_of(peer)
    if mode == "ping-pong":
        # One after the other: how connections lie on the workers shall not differ between slices.
        options["opening"] = 1
    if rate:
        options |= {"rate": f"{rate * 60:.0f}/m", "arrivals": "poisson", "new-connections": None}
    waits = scenario.kind in ("warm", "bulk")
    with bench.start(side, job) as server:
        if waits:
            settle(server)
        with bench.load(server, mode, scenario.conns, longest=longest, count=count, **options) as load:
            before = [server.seconds(), cpu_seconds(load.pid), *machine_seconds()]
            load.measure()
            if waits:
                settle(server)      # those that take the place of the ones used are part of the cost
            after = [server.seconds(), cpu_seconds(load.pid), *machine_seconds()]
            result = load.result()
    cpu, client, busy, whole = (a - b for a, b in zip(after, before))
    if not result["operations"]:
        raise Broken("not one operation was done")
    wrong = complaint(result, "resume" in options) if scenario.is_tls() else None
    if wrong:
        raise Broken(wrong)
    # A stream has no answers to wait for: the time of an operation stands for both.
    each = 1e6 * result["seconds"] / result["operations"]
    latency = result["latency_usec"] or {"p50": each, "p99": each}
    return {"ops": result["operations"], "seconds": result["seconds"], "cpu": cpu, "client_cpu": client,
            "p50_usec": latency["p50"], "p99_usec": latency["p99"],
            # A slice of the smoke can be over before the kernel has counted anything.
            "others": max(0, busy - cpu - client), "machine": max(whole, 1 / TICK)}


class Comparison:
    """One scenario, from its rounds to its verdicts."""

    def __init__(self, bench, name):
        self.bench = bench
        self.name = name
        self.scenario = SCENARIOS[name]
        self.rounds = min(bench.args.rounds, self.scenario.rounds or bench.args.rounds)
        self.main = self.scenario.sides()
        self.base = self.main[-1]
        self.failed = {}        # peer: why
        self.peers = []
        for peer, _ in bench.peers.values():
            if self.scenario.asks(peer):
                self.peers.append(peer.name)
                if peer.process_each and self.scenario.conns > PROCESSES_AT_MOST:
                    self.failed[peer.name] = f"not asked for: a process each, at most {PROCESSES_AT_MOST}"
        self.samples = {side: [] for side in self.main + self.peers}    # a round each; None: it took no part
        self.others = []
        self.starts = self.rate = None      # in mode open-loop: what the CPUs can, and what is asked

    def run(self):
        n_peer_rounds = min(PEER_ROUNDS, self.rounds)
        with_peers = {i * self.rounds // n_peer_rounds for i in range(n_peer_rounds)}
        if self.scenario.mode == "open-loop":
            self.starts = starts_a_second(self.bench, self.scenario)
            self.rate = self.starts * WARM_LOAD
        try:
            for i in range(self.rounds):
                self.round(i, self.peers if i in with_peers else [])
        except KeyboardInterrupt:
            # Figures come only at the end of all rounds: a reader may believe that it hangs.
            self.tell_of_stop()
            raise
        self.compute()
        self.print()
        self.judge()

    def tell_of_stop(self):
        done = len(self.others)
        if done:
            self.compute()
            self.print()
        self.bench.say(f"{self.name}: stopped after {done} of {self.rounds} rounds; not judged")

    def round(self, i, peers):
        """drover, floor, floor, drover; the peers; and that again. The next round begins with the floor."""
        pair = self.main[::-1] if i % 2 else self.main
        effort = self.bench.effort
        # Not fewer than connections: each has to do something.
        count = max(self.scenario.count // effort.share, self.scenario.conns if effort.judged else 1)
        half = pair + pair[::-1]
        before, after = {0: (pair, []), 1: (half, []), 2: (half, half)}[effort.halves]
        slices = {side: [] for side in self.samples}
        for side in before + peers + after:
            if side not in self.failed:
                try:
                    slices[side].append(run_slice(self.bench, side, self.scenario, count, self.rate))
                except (Broken, OSError) as e:
                    if side in self.main:
                        raise Broken(f"{side}: {e}") from None
                    self.failed[side] = str(e)
        for side, of_side in slices.items():
            self.samples[side].append(whole_of(of_side) if of_side else None)
        every = [s for side in self.main for s in slices[side]]
        self.others.append(sum(s["others"] for s in every) / sum(s["machine"] for s in every))

    def compute(self):
        base = self.samples[self.base]
        self.sides = {}
        for side, samples in self.samples.items():
            there = [s for s in samples if s]
            if side in self.failed or not there:
                self.sides[side] = {"failed": self.failed.get(side, "it took no part")}
                continue
            self.sides[side] = {key: summary([s[key] for s in there]) for key in there[0]}
            self.sides[side] |= {"cpu_ratio": ratios(samples, base, "cpu_usec"),
                                 "speed_ratio": ratios(samples, base, "ops_per_sec"),
                                 "p99_ratio": ratios(samples, base, "p99_usec"),
                                 "drover_ahead": ratios(self.samples["drover"], samples, "ops_per_sec"),
                                 "drover_cheaper": ratios(samples, self.samples["drover"], "cpu_usec"),
                                 "drover_sooner": ratios(samples, self.samples["drover"], "p50_usec")}
        self.bench.report["scenarios"][self.name] = {
            "what": self.scenario.what, "base": self.base,
            "judged_by": self.scenario.judge, "starts_a_second": self.starts, "rate": self.rate,
            "others": self.others, "sides": self.sides}

    def print(self):
        say = self.bench.say
        say(f"{self.name:<14} {'op/s':>9} {'CPU us/op':>10} {'p50 us':>8} {'p99 us':>8}   speed and CPU, {self.base} = 1")
        for side, s in self.sides.items():
            if "failed" in s:
                say(f"  {side:<12} {s['failed']}")
            else:
                say(f"  {side:<12} {s['ops_per_sec']['median']:9.0f} {s['cpu_usec']['median']:10.2f} "
                    f"{s['p50_usec']['median']:8.0f} {s['p99_usec']['median']:8.0f}   "
                    f"{s['speed_ratio']['median']:6.3f} {s['cpu_ratio']['median']:8.3f}")
        drover = self.sides["drover"]
        if self.base != "drover":
            say(f"  cpu ratio   {ratio_text(drover['cpu_ratio'])}")
            say(f"  {'p50 ratio ' if self.rate else 'speed ratio'} "
                f"{ratio_text(self.sides[self.base]['drover_sooner'] if self.rate else drover['speed_ratio'])}")
        if self.rate:
            say(f"  rate        {self.rate:.1f}/s by chance, of {self.starts:.1f} that the CPUs can start")
        say(f"  others took {statistics.median(self.others):.0%}, at most {max(self.others):.0%} of the machine")

    def judge(self):
        if not self.bench.effort.judged:
            return
        drover, verdict = self.sides["drover"], self.bench.verdict
        if self.scenario.judge == "cpu":
            s = drover["cpu_ratio"]
            verdict(self.name, *with_text(at_most(s, self.scenario.cpu_at_most),
                    f"CPU an operation {bracket(s)} of {WHOSE[self.base]}, at most {self.scenario.cpu_at_most}"))
        if self.scenario.judge == "speed":
            s = drover["speed_ratio"]
            verdict(self.name, *with_text(at_least(s, EXEC_SPEED_AT_LEAST),
                    f"speed {bracket(s)} of the floor's, at least {EXEC_SPEED_AT_LEAST}"))
        if self.scenario.p99:
            s = drover["p99_ratio"]
            verdict(f"{self.name} p99", *with_text(at_most(s, P99_AT_MOST),
                    f"p99 {bracket(s)} of the floor's, at most {P99_AT_MOST}"))
        if self.scenario.is_tls():
            self.judge_tls()
            return
        if self.scenario.judge == "copy":
            s = drover["speed_ratio"]
            verdict(self.name, *with_text(at_least(s, COPY_SPEED_AT_LEAST),
                    f"speed {bracket(s)} of the built-in echo's, at least {COPY_SPEED_AT_LEAST}"))
        if self.scenario.judge == "sooner":
            s = self.sides["cold"]["drover_sooner"]
            verdict(self.name, *with_text(at_least(s, WARM_SOONER_AT_LEAST),
                    f"the first answer {bracket(s, '.1f')} times sooner than cold at p50, "
                    f"at least {WARM_SOONER_AT_LEAST}"))
            self.judge_peers("drover_sooner", "times sooner at p50 than", WARM_SOONER_AT_LEAST)
        elif self.scenario.judge != "none":
            self.judge_peers("drover_ahead", "of the speed of",
                             FILTER_AHEAD_AT_LEAST if self.scenario.judge == "ahead" else 1)

    def judge_tls(self):
        verdict, judge = self.bench.verdict, self.scenario.judge
        if judge == "isolated":
            s = ratios(self.samples["drover"], self.samples["isolated"], "cpu_usec")
            verdict(self.name, *with_text(at_least(s, TLS_ISOLATED_AT_LEAST),
                    f"{bracket(s)} of the handshakes a CPU second of workers with keys, "
                    f"at least {TLS_ISOLATED_AT_LEAST}"))
            return
        drover = self.sides["drover"]
        if judge == "tls":
            s = drover["cpu_ratio"]
            verdict(self.name, *with_text(at_most(s, TLS_CPU_AT_MOST),
                    f"CPU an operation {bracket(s)} of the floor's with OpenSSL, at most {TLS_CPU_AT_MOST}"))
        if judge == "bulk":
            s = drover["speed_ratio"]
            verdict(self.name, *with_text(at_least(s, TLS_BULK_SPEED_AT_LEAST),
                    f"speed {bracket(s)} of the floor's with OpenSSL, at least {TLS_BULK_SPEED_AT_LEAST}"))
        if judge == "rivals":
            self.judge_peers("drover_ahead", "of the speed of", 1)
        else:
            self.judge_peers("drover_cheaper", "of the operations a CPU second of", 1)

    def judge_peers(self, key, words, times):
        rivals = {side: self.sides[side] for side in self.peers if "failed" not in self.sides[side]}
        if not rivals:
            return
        nearest = min(rivals, key=lambda side: rivals[side][key]["median"])
        s = rivals[nearest][key]
        self.bench.verdict(f"{self.name} peers", *with_text(at_least(s, times),
                           f"{bracket(s, '.2f')} {words} {nearest}, the nearest of {len(rivals)}; "
                           f"at least {times}"))


def with_text(met_and_clear, text):
    met, clear = met_and_clear
    return met, text, clear


def judge_flat(bench):
    """CPU time of an operation as connections grow, from what the echoes have measured."""
    def growth(side):
        cpu = {n: bench.report["scenarios"].get(f"echo-{n}", {}).get("sides", {}).get(side, {}).get("cpu_usec")
               for n in (16, 256, 4096)}
        if not all(cpu.values()):
            return None
        return {n: {"median": cpu[n]["median"] / cpu[16]["median"],
                    "low": cpu[n]["low"] / cpu[16]["high"], "high": cpu[n]["high"] / cpu[16]["low"]}
                for n in (256, 4096)}

    drover, floor = growth("drover"), growth("floor")
    if not drover or not floor:
        return
    worst = max(drover, key=lambda n: drover[n]["median"])
    bench.report["checks"]["flat"] = {"drover": drover, "floor": floor}
    # Thousands of sockets do not fit into the caches: what that costs the floor, it costs everybody.
    limit = max(FLAT_AT_MOST, floor[worst]["median"])
    bench.verdict("flat", *with_text(at_most(drover[worst], limit),
                  f"CPU an operation with {worst} connections is {bracket(drover[worst])} of that with 16, "
                  f"at most {FLAT_AT_MOST} or what the floor's is ({floor[worst]['median']:.3f})"))