"""`python -m benchmarks.alerts`: provokes each condition and sees its alerts fire, silent before; 1 if one did not."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.alerts import failures, outages  # noqa: F401  # they register their conditions
from benchmarks.alerts.condition import Condition, conditions
from benchmarks.alerts.prometheus import RULES, program
from benchmarks.alerts.stage import Stage, opened
from benchmarks.chaos.table import machine

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "alerts.json"
_SCRUBBED = ("REDIS_", "AISTUDIOS_", "RENDERLINE_", "CELERY_", "FLOWER_")
_PATIENCE = 150.0
"""Seconds that an alert has to fire."""
_QUIET = 60.0
"""Seconds that it has to become silent before its condition begins."""


@dataclass(frozen=True)
class Outcome:
    """One alert: whether it was silent before its condition, and after how many seconds it fired (None: it did not)."""

    alert: str
    what: str
    silent_before: bool
    seconds: float | None
    summary: str

    @property
    def good(self) -> bool:
        """Return whether it did what it should."""
        return self.silent_before and self.seconds is not None


def main(arguments: Sequence[str]) -> int:
    """Run and report; returns 1 if an alert did not fire."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerts", description=__doc__)
    parser.add_argument("--only", default="", metavar="ALERT,...", help="only the conditions of these alerts")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE", help="default: %(default)s")
    chosen = parser.parse_args(arguments)
    if program() is None:
        sys.exit("prometheus is not installed (Debian: prometheus)")
    for name in [name for name in os.environ if name.startswith(_SCRUBBED)]:
        del os.environ[name]
    only = {one.removeprefix("Renderline") for one in chosen.only.split(",") if one}
    outcomes: list[Outcome] = []
    with opened() as stage:
        stage.reach(stage.submit(), "delivered")
        for one in conditions():
            if not only or only & {alert.removeprefix("Renderline") for alert in one.alerts}:
                for outcome in _tried(stage, one):
                    outcomes.append(outcome)
                    print(_line(outcome), flush=True)
    missing = [] if only else sorted(_alerts() - {one.alert for one in outcomes})
    for name in missing:
        print(f"NOT TRIED {name}")
    if not only:
        _write(chosen.out, outcomes)
    return 0 if all(one.good for one in outcomes) and not missing else 1


def _tried(stage: Stage, condition: Condition) -> list[Outcome]:
    wanted = set(condition.alerts)
    give_up = time.monotonic() + _QUIET
    while (early := wanted & set(stage.prometheus.firing())) and time.monotonic() < give_up:
        time.sleep(0.5)
    begin, seen = time.monotonic(), dict[str, tuple[float, str]]()
    with condition.provoked(stage):
        while wanted - set(seen) and time.monotonic() - begin < _PATIENCE:
            for name, alert in stage.prometheus.firing().items():
                seen.setdefault(name, (time.monotonic() - begin, alert["annotations"]["summary"]))
            time.sleep(0.25)
    found = {name: seen.get(name, (None, "")) for name in condition.alerts}
    return [
        Outcome(name, condition.what, name not in early, seconds, summary) for name, (seconds, summary) in found.items()
    ]


def _alerts() -> set[str]:
    loaded = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    return {rule["alert"] for group in loaded["groups"] for rule in group["rules"]}


def _line(one: Outcome) -> str:
    if one.seconds is None:
        return f"SILENT     {one.alert:28} {one.what}"
    if not one.silent_before:
        return f"TOO EARLY  {one.alert:28} {one.what}"
    return f"fired      {one.alert:28} {one.seconds:5.1f} s  {one.what}: {one.summary}"


def _write(path: Path, outcomes: Sequence[Outcome]) -> None:
    rows = [{**asdict(one), "seconds": one.seconds and round(one.seconds, 1)} for one in outcomes]
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(json.dumps({"at": at, "machine": machine(), "alerts": rows}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
