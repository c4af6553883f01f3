# SPDX-License-Identifier: GPL-3.0-or-later
"""
The plots of the report: gnuplot scripts, made of what a run found, drawn as SVG.
"""

import shutil
import subprocess

from peers import PEERS
from scenarios import CPU_AT_MOST, EXEC_SPEED_AT_LEAST, FLAT_AT_MOST

COLOURS = {"drover": "#c2410c", "floor": "#4b5563", "echo": "#4b5563", "cold": "#4b5563", "unlimited": "#4b5563"}
PEER_COLOURS = ["#2563eb", "#059669", "#7c3aed", "#0891b2", "#b45309", "#db2777", "#65a30d", "#0f172a"]
HEAD = """
set terminal svg size {width},{height} dynamic font "sans-serif,13" background "#ffffff"
set output "{name}.svg"
set border 3 lc rgb "#9ca3af"
set tics nomirror textcolor rgb "#111827"
set grid lc rgb "#e5e7eb"
set title "{title}" textcolor rgb "#111827" font ",15"
"""


def draw(report, folder):
    """Draws what there are figures for. Gives [(file, what it shows)]; None without gnuplot."""
    if not shutil.which("gnuplot"):
        return None
    plots = [ratio_plot(report, "cpu-ratio", "cpu_ratio", "CPU time of an operation, the floor's = 1 (less is better)",
                        CPU_AT_MOST, "at most"),
             ratio_plot(report, "speed-ratio", "speed_ratio", "Operations a second, the floor's = 1 (more is better)",
                        EXEC_SPEED_AT_LEAST, "exec: at least"),
             *(servers_plot(name, s) for name, s in report["scenarios"].items()),
             growth_plot(report), memory_plot(report), spread_plot(report)]
    drawn = []
    for plot in filter(None, plots):
        name, title, script = plot
        done = subprocess.run(["gnuplot", "-"], input=script, text=True, cwd=folder, capture_output=True, check=False)
        if done.returncode == 0:
            drawn.append((f"{name}.svg", title))
        else:
            print(f"gnuplot, {name}: {done.stderr.strip()}")
    return drawn


def head(name, title, height=420, width=860):
    return HEAD.format(name=name, title=title, width=width, height=height)


def block(name, rows):
    """Data for the script, by name; None is a gap."""
    lines = [" ".join(f'"{v}"' if isinstance(v, str) else "NaN" if v is None else f"{v:.9g}" for v in row)
             for row in rows]
    return f"${name} << END\n" + "\n".join(lines) + "\nEND\n"


def quoted(texts):
    """Labels of an axis, from the bottom: ("text" 0, ...)."""
    return "(" + ", ".join(f'"{text}" {i}' for i, text in enumerate(texts)) + ")"


def colour(side):
    """The same in every plot."""
    names = [p.name for p in PEERS]
    return COLOURS.get(side) or PEER_COLOURS[names.index(side) % len(PEER_COLOURS)]


def ratio_plot(report, name, key, title, target, word):
    """drover against the floor: a row a scenario, each round a dot, the interval a bar."""
    found = [(scenario, s["sides"]["drover"][key]) for scenario, s in report["scenarios"].items()
             if s["base"] == "floor" and (key == "speed_ratio" or s["judged_by"] == "cpu")][::-1]
    if not found:
        return None
    script = head(name, title, 130 + 42 * len(found))
    script += block("rounds", [(v, i) for i, (_, s) in enumerate(found) for v in s["rounds"]])
    script += block("medians", [(s["median"], i, s["low"], s["high"]) for i, (_, s) in enumerate(found)])
    script += f"""
set ytics {quoted([scenario for scenario, _ in found])}
set yrange [-.6:{len(found) - .4}]
set offsets graph .02, graph .02, 0, 0
set key below
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb "#4b5563" lw 1
set arrow 2 from {target}, graph 0 to {target}, graph 1 nohead lc rgb "#dc2626" lw 1.5 dt 2
plot $rounds using 1:2 with points pt 6 ps .6 lc rgb "#9ca3af" title "a round", \\
  $medians using 1:2:3:4 with xerrorbars pt 7 ps .9 lw 2 lc rgb "#c2410c" title "median and its 95 % interval", \\
  NaN lc rgb "#dc2626" lw 1.5 dt 2 title "target, {word} {target}"
"""
    return name, title, script


def servers_plot(scenario, s):
    """All servers in one scenario: operations a second (if the rate is given, how soon), and what one costs."""
    sides = [side for side in s["sides"] if "failed" not in s["sides"][side]][::-1]
    if len(sides) < 2:
        return None
    panels = [("p50_usec", "p50 of the answer, microseconds", "%.0f") if s["rate"]
              else ("ops_per_sec", "operations a second", "%.0f"),
              ("cpu_usec", "CPU time of one, microseconds", "%.1f")]
    name = f"servers-{scenario}"
    script = head(name, "", 110 + 30 * len(sides), 980)
    script += f'set multiplot layout 1,2 title "{s["what"]}" font ",15"\n'
    script += "set key off\nset grid noy\nset style fill solid\n"
    script += f"set ytics {quoted(sides)}\nset yrange [-.6:{len(sides) - .4}]\n"
    for key, label, form in panels:
        rows = [(s["sides"][side][key], i, side) for i, side in enumerate(sides)]
        most = max(v["high"] for v, _, _ in rows)
        script += block(key, [(v["median"], i, v["low"], v["high"], int(colour(side)[1:], 16))
                              for v, i, side in rows])
        script += f"""
unset title
set xlabel "{label}"
set xrange [0:{most * 1.25}]
set xtics {nice_step(most * 1.25)}
set format x "%.0f"
plot ${key} using (0):2:(0):1:($2-.36):($2+.36):5 with boxxyerror lc rgb variable, \\
  ${key} using 1:2:3:4 with xerrorbars pt 0 lw 1.5 lc rgb "#111827", \\
  ${key} using 4:2:(sprintf("  {form}", $1)) with labels left font ",11"
"""
    return name, s["what"], script + "unset multiplot\n"


def nice_step(span):
    """A step of an axis with about four tics."""
    step = 1.0
    while step * 10 <= span / 3:
        step *= 10
    while step > span / 3:
        step /= 10
    return next(f * step for f in (5, 2, 1) if f * step <= span / 3)


def growth_plot(report):
    """What an echo costs as connections grow."""
    counts = [n for n in (16, 256, 4096) if f"echo-{n}" in report["scenarios"]]
    if len(counts) < 2:
        return None
    title = "CPU time of an echo, by connections"
    script = head("growth", title) + "set key outside right center\nset yrange [0:]\nset xlabel 'connections'\n"
    script += "set ylabel 'microseconds'\n" + f"set xtics ({', '.join(str(n) for n in counts)})\nset logscale x\n"
    script += f"set xrange [{counts[0] * .8}:{counts[-1] * 1.25}]\n"
    plots, sides = [], report["scenarios"][f"echo-{counts[0]}"]["sides"]
    for i, side in enumerate(sides):
        found = [(n, report["scenarios"][f"echo-{n}"]["sides"].get(side, {}).get("cpu_usec")) for n in counts]
        rows = [(n, s["median"], s["low"], s["high"]) for n, s in found if s]
        if len(rows) > 1:
            script += block(f"side{i}", rows)
            plots.append(f'$side{i} using 1:2:3:4 with yerrorlines pt 7 ps .7 lw {2.5 if side == "drover" else 1.5} '
                         f'lc rgb "{colour(side)}" title "{side}"')
    if counts[0] == 16:
        limit = sides["drover"]["cpu_usec"]["median"] * FLAT_AT_MOST
        plots.append(f'{limit} lc rgb "#dc2626" lw 1.5 dt 2 title "{FLAT_AT_MOST} of drover with 16"')
    return "growth", title, script + "plot " + ", \\\n  ".join(plots) + "\n"


def memory_plot(report):
    found = {side: s["bytes"] for side, s in report["checks"].get("memory", {}).items() if "failed" not in s}
    if not found:
        return None
    title = "Private memory of all processes, by idle connections"
    script = head("memory", title, 460)
    script += "set key outside right center\nset logscale y\nset ylabel 'MB'\n"
    script += 'set xtics ("none" 0, "1,000" 1, "10,000" 2)\nset xrange [-.2:2.2]\n'
    plots, places = [], {"0": 0, "1000": 1, "10000": 2}
    for i, (side, with_n) in enumerate(found.items()):
        script += block(f"side{i}", [(places[n], b / 1e6) for n, b in with_n.items()])
        plots.append(f'$side{i} using 1:2 with linespoints pt 7 ps .7 lw {2.5 if side == "drover" else 1.5} '
                     f'lc rgb "{colour(side)}" title "{side}"')
    return "memory", title, script + "plot " + ", \\\n  ".join(plots) + "\n"


def spread_plot(report):
    table = report["checks"].get("spread")
    if not table:
        return None
    title = "The fullest worker: its part of 1,000 connections, the even share = 1"
    script = head("spread", title, 360)
    script += "set key outside right center\nset xlabel 'workers'\nset yrange [.9:1.4]\nset xrange [1.8:8.2]\n"
    plots = []
    for i, (opening, row) in enumerate(table.items()):
        script += block(f"opening{i}", [(int(workers), cell["most"]) for workers, cell in row.items()])
        plots.append(f'$opening{i} using 1:2 with linespoints pt 7 ps .7 lw 1.5 lc rgb "{PEER_COLOURS[i]}" '
                     f'title "{opening} opened at once"')
    plots.append('1.25 lc rgb "#dc2626" lw 1.5 dt 2 title "target, at most 1.25"')
    return "spread", title, script + "plot " + ", \\\n  ".join(plots) + "\n"
