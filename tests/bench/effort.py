# SPDX-License-Identifier: GPL-3.0-or-later
"""
How much a run measures: all, enough to compare two builds, or each thing once to
see that the bench itself works. Nothing is known here of what is measured.
"""

from dataclasses import dataclass


@dataclass
class Effort:
    rounds: int
    halves: int                 # of a round: each server has two slices in a half, with 0 one in all
    share: int                  # a slice does 1/share of a scenario's operations
    starts: int                 # cold starts, to know what the CPUs can
    idle: tuple                 # connections, whose memory is measured
    spread: int                 # connections that lie on workers
    workers: tuple              # how many of them
    echoes: int                 # whose system calls are counted
    times: int                  # workers killed, configurations reloaded, questions asked
    open: int                   # connections, while a client asks
    flood: float                # seconds of a slice with or without refused connections
    sources: int                # of clients, one after the other
    prefixes: int               # lines of a deny_file
    scrapes: int                # whose CPU time is measured
    scraped: float              # seconds of a slice with or without scrapes
    judged: bool = True         # whether figures have to meet targets


EFFORTS = {
    "full": Effort(10, 2, 4, 48, (1000, 10000), 1000, (2, 3, 4, 5, 6, 7, 8), 2000, 20, 5000, .7, 1000000, 100000, 40, 4),
    "quick": Effort(3, 1, 16, 48, (1000, 10000), 1000, (2, 8), 2000, 5, 5000, .5, 100000, 100000, 20, 2),
    "smoke": Effort(1, 0, 4000, 4, (100,), 64, (2,), 50, 1, 100, .1, 200, 1000, 1, .1, judged=False),
}
