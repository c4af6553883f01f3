# SPDX-License-Identifier: GPL-3.0-or-later
"""
Finds the metrics and the labels that are named in expressions of Prometheus, in our rules and in our
dashboard. It knows no more of their grammar than these need.
"""
import json
import re

# A recorded series has colons; all metrics of droverd begin in the same way.
METRIC = re.compile(r"\b(\w+:drover_\w+:\w+|drover_\w+)\s*(\{[^}]*\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
LABEL_VALUES = re.compile(r"^label_values\((.*),\s*(\w+)\)$")


def metrics(expression):
    """Pairs: the name of a metric, and its labels with the values that are asked for."""
    return [(name, [(label, set(values.split("|"))) for label, values in MATCHER.findall(matchers)])
            for name, matchers in METRIC.findall(expression)]


def groupings(expression):
    """The labels in parentheses after each of those words."""
    return [(word, [label for label in re.split(r"[\s,]+", labels) if label])
            for word, labels in GROUPING.findall(expression)]


class Exposition:
    """What droverd says, in the text format: the names of its samples, their labels and their values."""

    SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$")
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.labels = {}        # by name: values by label
        self.families = re.findall(r"(?m)^# TYPE (\S+) ", text)
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels = self.SAMPLE.match(line).groups()
            of = self.labels.setdefault(name, {"job": set(), "instance": set()})
            for label, value in self.LABEL.findall(labels or ""):
                of.setdefault(label, set()).add(value)


class Rules:
    """
    The rules of a file, without a parser of YAML, which not every Python has: each begins with "- alert" or
    "- record", and a text that does not stand beside its key is indented below it.
    """

    RULE = re.compile(r"(?m)^ +- (alert|record): (\S+)\n((?: {8,}.*\n)*)")
    KEY = re.compile(r"(?m)^ +(\w+): *(?:>-\n)?((?:.*\n)(?: {12,}.*\n)*)")

    def __init__(self, text):
        self.alerts, self.records = {}, {}
        for kind, name, body in self.RULE.findall(text):
            keys = {key: " ".join(value.split()) for key, value in self.KEY.findall(body)}
            (self.alerts if kind == "alert" else self.records)[name] = keys


class Dashboard:
    """Its panels, also those in rows that are folded, and all that it asks Prometheus."""

    def __init__(self, text):
        self.text = text
        self.all = json.loads(text)
        self.panels = []
        for panel in self.all["panels"]:
            self.panels += [panel, *panel.get("panels", [])]
        self.variables = {v["name"]: v for v in self.all["templating"]["list"]}

    def targets(self):
        return [(panel, target) for panel in self.panels for target in panel.get("targets", [])]

    def annotations(self):
        return [a for a in self.all["annotations"]["list"] if "expr" in a]

    def of_variables(self):
        """What the variables list: an expression, and a label."""
        return [LABEL_VALUES.match(v["query"]["query"]).groups() for v in self.variables.values()
                if v["type"] == "query"]
