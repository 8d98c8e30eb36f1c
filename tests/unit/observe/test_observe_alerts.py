"""deploy/observe/alerts.yml: promtool reads the rules, and each alert fires when it should and not otherwise."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from harness import ROOT
from tests.unit.observe.alert_cases import ALIVE, CASES

RULES = ROOT / "deploy/observe/alerts.yml"


@pytest.fixture(scope="module")
def alerts():
    loaded = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    return {rule["alert"]: rule for group in loaded["groups"] for rule in group["rules"]}


@pytest.fixture(scope="module")
def promtool():
    found = shutil.which("promtool")
    if found is None:
        assert os.environ.get("CI") != "true", "promtool is missing: install the package prometheus"
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return found


def test_each_alert_says_what_to_do_and_has_a_place_in_the_runbook(alerts):
    headings = {
        line.removeprefix("## ").strip()
        for line in (ROOT / "docs/runbook.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    }
    assert set(alerts) <= headings
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert "for" in rule


def test_promtool_reads_rules_and_configuration(promtool):
    for command in (["rules", str(RULES)], ["config", "--syntax-only", str(RULES.with_name("prometheus.yml"))]):
        checked = subprocess.run([promtool, "check", *command], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_has_cases(alerts):
    assert set(CASES) == set(alerts)
    assert all(case.fires and case.silent for case in CASES.values())


def test_each_alert_fires_when_it_should_and_not_otherwise(promtool, alerts, tmp_path):
    """One run of promtool for all; it expects firing alerts with their labels, so it is asked for counts instead."""
    written = [cases_of(name, rule, tmp_path) for name, rule in alerts.items()]
    checked = subprocess.run([promtool, "test", "rules", *written], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, (checked.stdout + checked.stderr)[-4000:]
    assert checked.stdout.count("SUCCESS") == len(written)


def cases_of(name, rule, folder):
    """Write the cases of an alert and its rule alone: each case evaluates every rule of the file in every minute."""
    rules = folder / f"{name}.yml"
    rules.write_text(json.dumps({"groups": [{"name": name, "rules": [rule]}]}))
    case, tests = CASES[name], []
    for number, (series, wanted) in enumerate([(one, 1) for one in case.fires] + [(one, 0) for one in case.silent]):
        given = {key: value for key, value in {**ALIVE, **series}.items() if value}
        count = f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)'
        tests.append(
            {
                "name": f"{name} {number}",
                "interval": "1m",
                "input_series": [{"series": key, "values": value} for key, value in given.items()],
                "promql_expr_test": [
                    {
                        "expr": f"max(({count}) > bool 0)",
                        "eval_time": f"{case.minutes}m",
                        "exp_samples": [{"labels": "{}", "value": wanted}],
                    }
                ],
            }
        )
    written = folder / f"{name}.test.yml"
    written.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
    return str(written)


def test_each_alert_was_seen_to_fire_on_the_real_system(alerts):
    """`python -m benchmarks.alerts` after a change of the rules."""
    seen = json.loads((ROOT / "benchmarks/results/alerts.json").read_text(encoding="utf-8"))["alerts"]
    assert {one["alert"] for one in seen} == set(alerts)
    assert all(one["silent_before"] and one["seconds"] for one in seen)
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    assert all(f"| `{one['alert']}` | {one['what']} | {one['seconds']:.0f} s |" in runbook for one in seen)
