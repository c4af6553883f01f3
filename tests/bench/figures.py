# SPDX-License-Identifier: GPL-3.0-or-later
"""
Figures: medians with their intervals, and what they say about a target.
Knows nothing of servers.
"""

import math
import random
import statistics


def interval(values, draws=2000):
    """95 % bootstrap interval of the median; the same for the same values."""
    rng = random.Random(1)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(draws))
    return medians[int(draws * .025)], medians[int(draws * .975)]


def summary(values):
    low, high = interval(values)
    return {"median": statistics.median(values), "low": low, "high": high,
            "min": min(values), "max": max(values), "rounds": values}


def ratios(above, below, key):
    """Summary of the ratio in each round that has both; nan if what is below was too short to be measured."""
    return summary([a[key] / b[key] for a, b in zip(above, below) if a and b and b[key]] or [math.nan])


def whole_of(slices):
    """One sample of the slices of a round."""
    ops = sum(s["ops"] for s in slices)
    return {"cpu_usec": sum(s["cpu"] for s in slices) / ops * 1e6,
            "ops_per_sec": ops / sum(s["seconds"] for s in slices),
            "p50_usec": statistics.median(s["p50_usec"] for s in slices),
            "p99_usec": statistics.median(s["p99_usec"] for s in slices)}


def at_most(s, target):
    """(met, clear): not met only if the interval leaves no doubt, by its near end."""
    return s["low"] <= target, not s["low"] <= target < s["high"]


def at_least(s, target):
    return s["high"] >= target, not s["low"] < target <= s["high"]


def bracket(s, form=".3f"):
    return f"{s['median']:{form}} [{s['low']:{form}}, {s['high']:{form}}]"


def ratio_text(s):
    return f"{bracket(s)}  {s['min']:.3f}..{s['max']:.3f}"
