# SPDX-License-Identifier: GPL-3.0-or-later
"""
The alert rules and the dashboard: alone, beside the metrics of a droverd, and in a Prometheus that asks
this droverd. Prints TAP.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

import promql
from servers import Drover, Prometheus

TOP, BUILD = sys.argv[1:]
RULES = os.path.join(TOP, "etc/prometheus/drover.rules.yml")
TESTS = os.path.join(TOP, "etc/prometheus/drover.rules.test.yml")
DASHBOARD = os.path.join(TOP, "etc/grafana/drover.json")
DROVERD = os.environ.get("DROVERD", os.path.join(BUILD, "droverd"))
TOO_LONG_S = 300 * int(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))

# What droverd always says in full, or from the start: other values of these labels are mistakes.
KNOWN_VALUES = {"state", "reason", "signal"}
SEVERITIES = {"critical", "warning", "info"}


class Skip(Exception):
    pass


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def is_equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def needs(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed (Debian: prometheus)")


def must_run(*argv, **how):
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **how)
    assert done.returncode == 0, done.stdout


class World:
    """What the stories are about. The servers are started when a story first needs them."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.stack = stack
        self.rules = promql.Rules(read(RULES))
        self.dashboard = promql.Dashboard(read(DASHBOARD))
        self.started = {}

    def once(self, what, start):
        if what not in self.started:
            self.started[what] = start()
        return self.started[what]

    def has_tls(self):
        if not re.search(r"(?m)^#define HAVE_OPENSSL", read(os.path.join(BUILD, "config.h"))):
            return False
        return bool(shutil.which("openssl"))

    def start_drover(self):
        if self.has_tls():
            must_run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                     "subjectAltName=DNS:localhost", "-keyout", f"{self.folder}/key.pem",
                     "-out", f"{self.folder}/chain.pem")
        return Drover(self.stack, self.folder, DROVERD, os.path.join(BUILD, "droverctl"), self.has_tls())

    def drover(self):
        return self.once("drover", self.start_drover)

    def metrics(self):
        return self.once("metrics", lambda: promql.Exposition(self.drover().ask("metrics")))

    def lacks(self, metric):
        """Whether the droverd at hand has no such metric because it has no TLS."""
        return metric.startswith("drover_tls_") and not self.has_tls()

    def start_prometheus(self):
        needs("prometheus")
        return Prometheus(self.stack, self.folder, f"""
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [ '{RULES}' ]
scrape_configs:
  - job_name: drover
    static_configs: [ {{ targets: [ '{self.drover().addresses["metrics.listen"]}' ] }} ]
""")

    def prometheus(self):
        return self.once("prometheus", self.start_prometheus)

    # ---- names -----------------------------------------------------------------

    def labels_of(self, metric):
        """The labels of a metric, with their values; those of a recorded series come from its metrics."""
        if metric in self.rules.records:
            labels = {}
            for name, _ in promql.metrics(self.rules.records[metric]["expr"]):
                labels.update(self.labels_of(name))
            return labels
        found = self.metrics().labels
        assert metric in found, f"droverd has no {metric}"
        return found[metric]

    def is_of_service(self, metric):
        return not self.lacks(metric) and "service" in self.labels_of(metric)

    def check(self, expression, shows=()):
        """Metrics, labels and values are of droverd, and so are the labels that a text shows."""
        labels = {}
        for metric, matchers in promql.metrics(expression):
            if self.lacks(metric):
                return
            own = self.labels_of(metric)
            labels.update(own)
            for label, values in matchers:
                assert label in own, f"{metric} has no label {label}: {expression}"
                if label in KNOWN_VALUES:
                    assert values <= own[label], f"{metric} has no {label} {values - own[label]}"
        groupings = promql.groupings(expression)
        for _, names in groupings:
            assert set(names) <= set(labels), f"{names}: {expression}"
        kept = {name for word, names in groupings if word == "by" for name in names} or set(labels)
        assert set(shows) <= kept or not labels, f"{expression} has no {set(shows) - kept}"


# ---- the rules -------------------------------------------------------------------


def promtool_understands_the_rules(_):
    needs("promtool")
    must_run("promtool", "check", "rules", RULES)


def alerts_fire_when_they_should(_):
    needs("promtool")
    must_run("promtool", "test", "rules", TESTS)


def each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(world):
    tests = re.findall(r"alertname: (\w+)\n +exp_alerts:(.*)\n", read(TESTS))
    wanted = {(alert, fires) for alert in world.rules.alerts for fires in (True, False)}
    is_equal(wanted ^ {(alert, not expected.strip()) for alert, expected in tests}, set())


def each_alert_says_what_it_means(world):
    assert len(world.rules.alerts) > 20, world.rules.alerts
    for name, alert in world.rules.alerts.items():
        assert re.fullmatch(r"\d+[mh]", alert["for"]), name
        assert alert["severity"] in SEVERITIES, name
        assert alert["summary"] and alert["description"].endswith("."), name


def rules_name_what_droverd_has(world):
    for rule in world.rules.records.values():
        world.check(rule["expr"])
    for rule in world.rules.alerts.values():
        world.check(rule["expr"], re.findall(r"\$labels\.(\w+)", rule["summary"] + rule["description"]))
    for series in re.findall(r"series: (?:'|>-\n)(.*(?:\n +service=.*)?)", read(TESTS)):
        world.check(" ".join(series.split()))


# ---- the dashboard ---------------------------------------------------------------


def the_dashboard_can_be_imported(world):
    board = world.dashboard
    is_equal((board.all["uid"], board.all["id"]), ("drover", None))
    is_equal([(i["name"], i["pluginId"]) for i in board.all["__inputs"]], [("DS_PROMETHEUS", "prometheus")])
    is_equal(list(board.variables), ["datasource", "job", "instance", "service"])
    is_equal(board.variables["datasource"]["current"]["value"], "${DS_PROMETHEUS}")
    numbers = [panel["id"] for panel in board.panels]
    is_equal(sorted(numbers), list(range(1, len(numbers) + 1)))
    rows = [panel["title"] for panel in board.panels if panel["type"] == "row"]
    assert len(rows) >= 7, rows
    for panel in board.panels:
        assert panel["type"] == "row" or panel["description"].endswith("."), panel["title"]
    for place in re.findall(r'"datasource": \{.*\}', board.text):
        assert '"uid": "${datasource}"' in place or '"type": "grafana"' in place, place


def panels_do_not_cover_each_other(world):
    seen = {}
    for panel in world.dashboard.panels:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert x < 24 and (x, y) not in seen, f"{panel['title']} covers {seen.get((x, y))}"
                seen[x, y] = panel["title"]


def panels_ask_for_what_the_variables_say(world):
    for panel, target in world.dashboard.targets():
        for metric, matchers in promql.metrics(target["expr"]):
            labels = dict(matchers)
            wanted = {"job", "instance"} | ({"service"} if world.is_of_service(metric) else set())
            for label in wanted:
                assert labels.get(label) == {"$" + label}, f"{panel['title']}: {metric} {label}"
        for duration in re.findall(r"\[(.*?)\]", target["expr"]):
            is_equal(duration, "$__rate_interval")


def the_dashboard_names_what_droverd_has(world):
    for _, target in world.dashboard.targets():
        world.check(target["expr"], re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    for annotation in world.dashboard.annotations():
        world.check(annotation["expr"], re.findall(r"\{\{(\w+)\}\}", annotation["titleFormat"]))
    for expression, label in world.dashboard.of_variables():
        world.check(expression, [label])


def the_dashboard_has_every_metric(world):
    shown = {metric for _, target in world.dashboard.targets() for metric, _ in promql.metrics(target["expr"])}
    families = {re.sub(r"_(bucket|sum|count)$", "", metric) for metric in shown}
    is_equal({family for family in world.metrics().families if family not in families}, set())


# ---- README ----------------------------------------------------------------------


def readme_says_how_to_ask_for_the_metrics(world):
    needs("promtool")
    lines = re.search(r"(?m)^    rule_files:\n(?:    .*\n)+", read(os.path.join(TOP, "README")))[0]
    path = os.path.join(world.folder, "readme.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^    ", "", lines).replace("/etc/prometheus/drover.rules.yml", RULES))
    must_run("promtool", "check", "config", path)


# ---- Prometheus ------------------------------------------------------------------


def prometheus_counts_what_droverd_has_served(world):
    prometheus = world.prometheus()
    prometheus.until(lambda: prometheus.query('up{job="drover"} == 1'))
    prometheus.until(lambda: prometheus.query('drover_connections_accepted_total{service="e"} > 0'),
                     between=world.drover().traffic)
    prometheus.until(lambda: prometheus.query('rate(drover_connections_accepted_total{service="e"}[10s]) > 0'),
                     between=world.drover().traffic)


def prometheus_evaluates_each_rule(world):
    prometheus = world.prometheus()

    def evaluated():
        rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
        return rules if all(rule["health"] != "unknown" for rule in rules) else None

    rules = prometheus.until(evaluated)
    is_equal(len(rules), len(world.rules.alerts) + len(world.rules.records))
    is_equal([rule for rule in rules if rule["health"] != "ok"], [])
    for record in world.rules.records:
        prometheus.until(lambda name=record: prometheus.query(name), between=world.drover().traffic)


def each_panel_has_something_to_show(world):
    prometheus = world.prometheus()
    world.drover().traffic()
    world.drover().kill_worker("p")
    for panel, target in world.dashboard.targets():
        if any(world.lacks(metric) for metric, _ in promql.metrics(target["expr"])):
            continue
        expression = re.sub(r"\$(job|instance|service)\b", ".*", target["expr"])
        expression = expression.replace("$__rate_interval", "1m")
        prometheus.until(lambda query=expression: prometheus.query(query), between=world.drover().traffic)


STORIES = [
    promtool_understands_the_rules,
    alerts_fire_when_they_should,
    each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not,
    each_alert_says_what_it_means,
    rules_name_what_droverd_has,
    the_dashboard_can_be_imported,
    panels_do_not_cover_each_other,
    panels_ask_for_what_the_variables_say,
    the_dashboard_names_what_droverd_has,
    the_dashboard_has_every_metric,
    readme_says_how_to_ask_for_the_metrics,
    prometheus_counts_what_droverd_has_served,
    prometheus_evaluates_each_rule,
    each_panel_has_something_to_show,
]


def tell(world, number, story):
    try:
        story(world)
        print(f"ok {number} - {story.__name__}", flush=True)
    except Skip as why:
        print(f"ok {number} - {story.__name__} # SKIP {why}", flush=True)
    except Exception:
        print(f"not ok {number} - {story.__name__}", flush=True)
        print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="", flush=True)


def main():
    wanted = os.environ.get("STORIES", "").split()
    stories = [s for s in STORIES if not wanted or s.__name__ in wanted]
    print(f"1..{len(stories)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="drover-monitoring.") as folder, contextlib.ExitStack() as stack:
        world = World(folder, stack)
        for number, story in enumerate(stories, 1):
            tell(world, number, story)


def give_up(number, _):
    why = f"nothing came in {TOO_LONG_S} s" if number == signal.SIGALRM else "it was told to end"
    print(f"Bail out! {why}", flush=True)
    sys.exit(1)         # the servers are ended on the way


signal.signal(signal.SIGALRM, give_up)
signal.signal(signal.SIGTERM, give_up)
signal.alarm(TOO_LONG_S)
main()
