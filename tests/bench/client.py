# SPDX-License-Identifier: GPL-3.0-or-later
"""
The client: drover-bench, stopped at its gates while we read the clocks.
"""

import json
import signal

from processes import Broken, Process

# Each has its own 28,000 ports.
SOURCES = "127.0.0.0/24"


class Load(Process):
    """
    Open and answered when it is made (but for mode connect, where there is
    nothing to open); then measure(), result(). Not done so, it ends with the with.
    longest: seconds of the measured part.
    """

    def __init__(self, program, address, cores, mode, connections, longest=0, **options):
        if longest:
            options["duration"] = f"{longest * 1000:.0f}ms"
        argv = [program, "--gate", "--json", "--quiet", "--mode", mode, "--connections", str(connections),
                "--max-errors", "100"]
        if not address.startswith("unix:"):
            options = {"source": SOURCES, **options}
        for name, value in options.items():
            argv += [f"--{name}"] if value is None else [f"--{name}", str(value)]
        # Not in a session of its own: ^C is for the client, too.
        super().__init__([*argv, address], cores, own_session=False)
        self.name = "the client"
        self.longest = longest
        try:
            self.gate("begin")
        except BaseException:
            self.end()
            raise

    def gate(self, name, more=0):
        line = self.line(more)
        if line != name:
            # It gave up; what it says is the report.
            self.heard = line.encode() + b"\n" + self.heard
            self.result()
            raise Broken(f"the client said {line!r}, not {name!r}")

    def go(self):
        self.say()

    def measure(self):
        """The measured part, from gate to gate."""
        self.go()
        self.gate("end", self.longest)

    def stop(self):
        """Ends the measured part early; the report comes without a second gate."""
        self.proc.send_signal(signal.SIGINT)

    def result(self, allow_errors=False):
        """Closes all, and gives the report."""
        self.go()
        text = self.rest().removeprefix("end\n")
        try:
            report = json.loads(text)
        except ValueError:
            raise Broken(f"the client said {text!r}") from None
        if report["errors"] and not allow_errors:
            kinds = ", ".join(f"{n} {kind}" for kind, n in report["errors_by_kind"].items())
            raise Broken(f"failed connections or wrong answers: {kinds}")
        return report
