# SPDX-License-Identifier: GPL-3.0-or-later
"""
What is left of a run: a table in the terminal, report.json, and report.html with
its plots.
"""

import html
import json
import os
import statistics

import plots

STYLE = """
body { font: 15px/1.5 sans-serif; color: #111827; max-width: 1000px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 24px } h2 { font-size: 19px; margin-top: 2em }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2em .7em; border-bottom: 1px solid #e5e7eb; text-align: right; vertical-align: top }
th:first-child, td:first-child, td.text { text-align: left }
.pass { color: #047857 } .fail { color: #b91c1c; font-weight: bold } .why { color: #6b7280; font-size: 13px }
img { max-width: 100%; height: auto; margin: .8em 0 }
"""
HOW_TO_READ = """Medians over the rounds of one run, in which all servers took turns under the same client;
brackets and error bars are the 95 % bootstrap interval of the median. CPU time is that of all processes of a server.
A target is missed only if the whole interval is beyond it. Peers took part in three rounds, and their intervals
are about the smallest and the largest of them. tests/bench/run tells more."""


# --- the terminal

def print_table(report):
    """Speed of every server in every scenario, the floor's = 1."""
    scenarios = {name: s for name, s in report["scenarios"].items() if len(s["sides"]) > 2 and not s["rate"]}
    if not scenarios:
        return
    print("\noperations a second, floor = 1 (greet: drover, filters: echo)")
    print(f"{'':<15}" + "".join(f"{name:>15}" for name in scenarios))
    for side in servers_of(scenarios):
        print(f"{side:<15}" + "".join(f"{cell(s['sides'].get(side), 'speed_ratio', '.2f'):>15}"
                                      for s in scenarios.values()))


def servers_of(scenarios):
    return list(dict.fromkeys(side for s in scenarios.values() for side in s["sides"]))


def cell(side, key, form):
    if not side:
        return ""
    return "-" if "failed" in side else f"{side[key]['median']:{form}}"


def print_verdicts(report):
    bad = [v for v in report["verdicts"] if not v["good"]]
    print(f"\n{len(report['verdicts']) - len(bad)} of {len(report['verdicts'])} targets met, "
          f"in {report['seconds']:.0f} s")
    for v in bad:
        print(f"FAIL  {v['name']}: {v['text']}")


# --- the files

def write_report(report, folder):
    os.makedirs(folder, exist_ok=True)
    report = json.loads(json.dumps(report))     # keys as in the file
    with open(os.path.join(folder, "report.json"), "w") as f:
        json.dump(report, f, indent=1)
    drawn = plots.draw(report, folder)
    if drawn is None:
        print("no plots: gnuplot is not installed (apt-get install --no-install-recommends gnuplot-nox)")
    with open(os.path.join(folder, "report.html"), "w") as f:
        f.write(page(report, drawn or []))


def page(report, drawn):
    m = report["machine"]
    facts = (f"{report['started']}; {m['cores']} cores, {m['processor']}, Linux {m['kernel']}; "
             f"{report['rounds']} rounds; {report['workers']} workers; CPU time from {report['cpu_time_from']}; measured in drover's place: "
             f"{report['candidate']}")
    parts = [f"<h1>drover beside other servers</h1><p>{esc(facts)}</p><p>{esc(HOW_TO_READ)}</p>",
             targets(report), missing(report)]
    pictures = dict(drawn)
    parts += [image(name, pictures) for name in ("cpu-ratio.svg", "speed-ratio.svg")]
    parts += [scenario_part(name, s, pictures) for name, s in report["scenarios"].items()]
    parts += [image("growth.svg", pictures), memory_part(report, pictures), tls_memory_part(report),
              spread_part(report, pictures),
              times_part(report)]
    return ("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><title>drover bench</title>"
            f"<style>{STYLE}</style></head><body>\n" + "\n".join(filter(None, parts)) + "\n</body></html>\n")


def esc(text):
    return html.escape(str(text))


def image(name, pictures):
    return f"<img src='{name}' alt='{esc(pictures[name])}'>" if name in pictures else ""


def table(head, rows):
    lines = ["<tr>" + "".join(f"<th>{esc(h)}</th>" for h in head) + "</tr>"]
    lines += ["<tr>" + "".join(cells) + "</tr>" for cells in rows]
    return "<table>" + "\n".join(lines) + "</table>"


def td(text, css=""):
    return f"<td class='{css}'>{esc(text)}</td>" if css else f"<td>{esc(text)}</td>"


def targets(report):
    rows = [[td("met" if v["good"] else "missed", "pass" if v["good"] else "fail"), td(v["name"], "text"),
             td(v["text"] + ("" if v["clear"] else " (unclear: the interval spans the target)"), "text")]
            for v in report["verdicts"]]
    return "<h2>Targets</h2>" + table(["", "", ""], rows)


def missing(report):
    return "".join(f"<p class='why'>Not installed: {esc(name)} ({esc(how)})</p>"
                   for name, how in report["missing"].items())


def interval_text(s, form):
    return f"{s['median']:{form}} [{s['low']:{form}}, {s['high']:{form}}]"


def scenario_part(name, s, pictures):
    rows = []
    for side, of in s["sides"].items():
        if "failed" in of:
            rows.append([td(side), f"<td class='text why' colspan='6'>{esc(of['failed'])}</td>"])
        else:
            rows.append([td(side)] + [td(interval_text(of[key], form)) for key, form in (
                ("ops_per_sec", ",.0f"), ("cpu_usec", ",.2f"))] + [td(f"{of[key]['median']:{form}}") for key, form in (
                    ("speed_ratio", ".3f"), ("cpu_ratio", ".3f"), ("p50_usec", ",.0f"), ("p99_usec", ",.0f"))])
    head = ["", "operations/s", "CPU us an operation", f"speed, {s['base']} = 1", f"CPU, {s['base']} = 1",
            "p50 us", "p99 us"]
    others = f"Strangers took {statistics.median(s['others']):.0%} of the machine, at most {max(s['others']):.0%}."
    return (f"<h2>{esc(name)}: {esc(s['what'])}</h2>" + image(f"servers-{name}.svg", pictures) + table(head, rows)
            + f"<p class='why'>{others}</p>")


def memory_part(report, pictures):
    found = report["checks"].get("memory")
    if not found:
        return ""
    rows = []
    for side, s in found.items():
        if "failed" in s:
            rows.append([td(side), f"<td class='text why' colspan='4'>{esc(s['failed'])}</td>"])
        else:
            rows.append([td(side)] + [td(f"{s['bytes'][n] / 1024:,.0f}" if n in s["bytes"] else "")
                                      for n in ("0", "1000", "10000")]
                        + [td(f"{list(s['each'].values())[-1]:,.0f}")])
    return ("<h2>Memory of idle connections</h2>" + image("memory.svg", pictures)
            + table(["", "KiB with none", "1,000", "10,000", "bytes each"], rows)
            + "<p class='why'>Private memory of all processes, without the kernel's. Those with a process for each "
              "connection are not asked for 10,000.</p>")


def tls_memory_part(report):
    found = report["checks"].get("tls-memory")
    if not found:
        return ""
    rows = [[td(side), td(s["failed"], "text why"), td("")] if "failed" in s else
            [td(side), td(", ".join(f"{int(n):,}: {b / 1024:,.0f}" for n, b in s["bytes"].items()), "text"),
             td(f"{list(s['each'].values())[-1]:,.0f}")] for side, s in found.items()]
    return ("<h2>Memory of idle TLS connections</h2>" + table(["", "connections: KiB", "bytes each"], rows)
            + "<p class='why'>Private memory of all processes, without the kernel's, and without the echo behind "
              "a peer.</p>")


def spread_part(report, pictures):
    if "spread" not in report["checks"]:
        return ""
    return "<h2>Spread of connections over workers</h2>" + image("spread.svg", pictures)


def times_part(report):
    names = {"replace": "from the death of a worker to the next one that accepts",
             "reload": "a reload under load, from HUP to ready",
             "status": "droverctl status with 5,000 open connections",
             "deny-file": "the check of a configuration with a deny_file of 100,000 lines"}
    rows = [[td(what, "text")] + [td(f"{report['checks'][name][key]:.2f}") for key in ("median", "min", "max")]
            for name, what in names.items() if name in report["checks"]]
    return "<h2>Replacing, and looking</h2>" + table(["", "ms, median", "least", "most"], rows) if rows else ""
