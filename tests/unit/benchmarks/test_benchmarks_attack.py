"""`make attack`: every attack has a name of its own, and the documentation has the table of the kept run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.attack.attack import MODULES, attacks
from benchmarks.attack.report import BEGIN, END, PAGE, RESULTS, put, table

ATTACKS = list(attacks())


def test_every_attack_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len(ATTACKS) > 40
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)
    assert all(one.what for one in ATTACKS)


def test_every_module_with_attacks_is_listed() -> None:
    folder = Path(PAGE.parents[1], "benchmarks", "attack")
    found = {path.stem for path in folder.glob("*.py") if "\n@attack(" in path.read_text()}
    assert found == set(MODULES)


def test_the_page_has_the_figures_of_the_run() -> None:
    # python -m benchmarks.attack.report writes them.
    text = PAGE.read_text()
    assert put(text, table(json.loads(RESULTS.read_text()))) == text


def test_the_run_carried_out_every_attack_and_each_was_held_off() -> None:
    found = {one["name"]: one["held"] for one in json.loads(RESULTS.read_text())["attacks"]}
    assert found.keys() == {one.name for one in ATTACKS}
    assert [name for name, held in found.items() if not held] == []


def test_a_bar_in_a_figure_does_not_end_its_cell() -> None:
    row = table({"attacks": [{"name": "x", "what": "y", "held": False, "figure": "a|b"}]}).splitlines()[-1]
    assert row == r"| `x` | y | **no** | a\|b |"


def test_a_table_replaces_the_text_between_the_marks() -> None:
    assert put(f"a\n{BEGIN}\nold\n{END}\nb", "new\n") == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(ValueError, match="must be in the page"):
        put("a page without marks", "new\n")
