# SPDX-License-Identifier: GPL-3.0-or-later
"""
A service that checks everything that drover can check of a client, with limits that no client
of the bench reaches.
"""

import ipaddress
import random

ENOUGH = 1000000        # connections a second; more than any machine takes


def prefixes(n):
    """The text of a deny_file of n lines, the same each time, in which no client of the bench is."""
    rng = random.Random(1)
    drawn = ((rng.randrange(128 << 24, 223 << 24), rng.randint(16, 32)) for _ in range(n))
    return "".join(f"{ipaddress.ip_network(prefix, strict=False)}\n" for prefix in drawn)


def all_limits(deny_file):
    """The settings of the service."""
    return f"""
    access = {{ allow = "127.0.0.0/8"; deny_file = "{deny_file}"; }};
    limits = {{ connections = 256; connections_per_source = 256;
               rate = "{ENOUGH}/s"; rate_per_source = "{ENOUGH}/s"; }};
    poison = true;
"""
