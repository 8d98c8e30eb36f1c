"""The tables of `make chaos` in the documentation are those of the runs whose files are kept."""

from __future__ import annotations

import pytest

from benchmarks.chaos.report import BEGIN, END, put, recorded, runs, tables
from harness import ROOT


@pytest.mark.parametrize("page", tables())
def test_the_page_has_the_figures_of_the_runs(page: str) -> None:
    text = (ROOT / page).read_text()
    # python -m benchmarks.chaos.report writes them.
    assert put(text, tables()[page]) == text


def test_each_run_has_a_column_and_the_command_that_repeats_it() -> None:
    (document,) = [one for one in recorded() if one["results"]["renderline"]["plan"]["kills"] == 0][:1]
    head, rule, *rows = runs([document, document]).splitlines()
    assert head.count("`make chaos SEED=") == 2
    assert rule == "|:--|--:|--:|"
    assert {row.count("|") for row in rows} == {4}


def test_a_table_replaces_the_text_between_the_marks() -> None:
    assert put(f"a\n{BEGIN}\nold\n{END}\nb", "new\n") == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(ValueError, match="must be in the page"):
        put("a page without marks", "new\n")
