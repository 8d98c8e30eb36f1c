"""The table of docs/backup.md shows the figures of benchmarks/results/restore.json."""

import json
import re

from harness import ROOT

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
RUNS = json.loads((ROOT / "benchmarks" / "results" / "restore.json").read_text(encoding="utf-8"))["runs"]


def test_the_table_has_the_figures_of_the_run():
    rows = re.findall(r"^\| .* \| (.+) \| (\d+) \| (\d+) \| .* \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) == len(RUNS)
    for (proposals, twice, lost), run in zip(rows, RUNS, strict=True):
        assert {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", proposals)} == run["proposals"]
        assert (int(twice), int(lost)) == (run["paid twice"], len(run["lost"]))


def test_nothing_is_paid_twice_or_lost_unless_the_snapshot_is_trusted():
    assert all(run["paid twice"] == 0 and not run["lost"] for run in RUNS if run["way"] != "trusted")
    assert any(run["paid twice"] for run in RUNS if run["way"] == "trusted")
