"""The figures in the documentation are those that the benchmarks wrote."""

from __future__ import annotations

import json

from benchmarks.capacity import Prices, loads_table, prices_table
from benchmarks.report import markdown
from harness import ROOT

RESULTS = json.loads((ROOT / "benchmarks/results/latest.json").read_text())


def test_the_targets_and_figures_in_the_readme() -> None:
    assert markdown(RESULTS) in (ROOT / "README.md").read_text()


def test_the_prices_and_loads_in_the_page_on_scaling() -> None:
    page = (ROOT / "docs/scaling.md").read_text()
    assert prices_table(RESULTS) in page
    assert loads_table(Prices.measured(RESULTS)) in page
