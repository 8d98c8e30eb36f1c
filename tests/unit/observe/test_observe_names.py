"""Every metric and label that a rule or the dashboard names is exported."""

from __future__ import annotations

import json
import re

import pytest
from ruamel.yaml import YAML

from harness import ROOT
from renderline.metrics.tables import BY_SOURCE

OBSERVE = ROOT / "deploy/observe"
# What Prometheus adds, and what every client exports of its process.
_OURS_OR_THEIRS = {"up", "ALERTS", "process_resident_memory_bytes"}
_ADDED = {"job", "instance", "alertname", "alertstate", "le"}
_WORDS = frozenset(
    [
        "sum",
        "max",
        "min",
        "count",
        "absent",
        "rate",
        "increase",
        "delta",
        "histogram_quantile",
        "vector",
        "by",
        "and",
        "or",
        "unless",
        "on",
        "bool",
        "without",
    ]
)


def exported():
    return {series: one for metrics in BY_SOURCE.values() for one in metrics for series in one.series}


def expressions():
    rules = YAML(typ="safe").load((OBSERVE / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])
    board = json.loads((OBSERVE / "grafana/dashboards/renderline.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(
    ("place", "expr"), EXPRESSIONS, ids=[f"{place} {n}" for n, (place, _) in enumerate(EXPRESSIONS)]
)
def test_what_is_named_is_exported(place, expr):
    known = exported()
    plain = re.sub(r'"[^"]*"', '""', expr)
    # Selectors, and the lists of labels after by, on and without.
    used = set(re.findall(r"(\w+)\s*[=!]~?\s*\"", plain))
    for names in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", plain):
        used |= set(re.findall(r"\w+", names))
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without)\s*\([^)]*\)", " ", plain)
    metrics = set(re.findall(r"[a-zA-Z_]\w*", bare)) - _WORDS
    assert metrics, place
    assert metrics <= set(known) | _OURS_OR_THEIRS
    labels = {label for name in metrics & set(known) for label in known[name].labels}
    assert used <= labels | _ADDED


def test_each_panel_takes_its_data_from_the_variable():
    board = json.loads((OBSERVE / "grafana/dashboards/renderline.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource"]
    for panel in board["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    places = [tuple(sorted(panel["gridPos"].items())) for panel in board["panels"]]
    assert len(set(places)) == len(places)
