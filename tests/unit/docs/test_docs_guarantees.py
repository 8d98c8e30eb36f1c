"""Every promise of the documentation names the tests that hold it, and these are there."""

from __future__ import annotations

import re

from harness import ROOT

PAGE = (ROOT / "docs/guarantees.md").read_text()
NAMED = re.compile(r"`(test_\w+(?:\.py)?)`")


def promises() -> dict[str, str]:
    """Return by promise what it was tried under."""
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): cells[2] for cells in rows if len(cells) == 3 and cells[0].strip() != "promise"}


def test_every_promise_names_its_test() -> None:
    assert len(promises()) > 20
    assert [promise for promise, tried in promises().items() if not NAMED.search(tried)] == []


def test_every_test_that_is_named_is_there() -> None:
    files = list((ROOT / "tests").rglob("test_*.py"))
    there = {file.name for file in files}
    for file in files:
        there.update(re.findall(r"^\s*def (test_\w+)", file.read_text(), re.MULTILINE))
    assert set(NAMED.findall(PAGE)) - there == set()
