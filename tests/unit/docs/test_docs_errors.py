"""docs/errors.md has one row for every error that the code can show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.docs.error_codes import PAGE, SECTIONS, of_hooks, of_renders, rows
from renderline.explanation import ends

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_error_has_one_row_and_no_row_is_of_none(heading: str) -> None:
    assert sorted(rows(TEXT, heading)) == sorted(SECTIONS[heading]())


def test_every_row_says_what_to_do() -> None:
    table_rows = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]
    assert len(table_rows) > 50
    assert [row for row in table_rows if not all(cell.strip() for cell in row) or len(row) < 3] == [["`0`", "Done."]]


def test_the_codes_are_read_where_they_arise() -> None:
    assert {"deadline", "no_download_url", "given_up", "unknown_name", "unreadable_record"} <= of_renders()
    assert "… answered 410 Gone: it takes no more deliveries" in of_hooks()


def test_what_the_explanation_knows_by_code_is_a_code() -> None:
    source = re.findall(r'code == "(\w+)"', Path(ends.__file__).read_text(encoding="utf-8"))
    assert source
    assert set(source) <= of_renders()
