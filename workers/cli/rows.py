"""Tables of rows that fill a request template: CSV with a header, or JSON lines of objects."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.cli.request_files import Unreadable

_DELIMITERS = (",", ";", "\t")
_MAX_FIELD = 1 << 20
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a cell begins that a spreadsheet may run, or that has the apostrophe which keeps it from doing so."""
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True)
class Row:
    """One row: its place for error messages, its values by column, and its number."""

    place: str
    values: dict[str, Any]
    number: int = field(default=0, compare=False)


def rows(name: str, raw: bytes) -> list[Row]:
    """Return the rows of a table; raises Unreadable with everything that is wrong with it.

    A file whose name ends with `.jsonl` or `.ndjson` holds JSON lines, any other CSV, separated by commas, semicolons
    or tabs, whichever its header has most of. Rows are numbered as a spreadsheet does: the header is row 1.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable([f"{name}: is not UTF-8 (byte {error.start}); save it as CSV UTF-8"]) from None
    found = _json_lines(name, text) if name.endswith((".jsonl", ".ndjson")) else _csv(name, text)
    if not found:
        raise Unreadable([f"{name}: has no rows"])
    return found


def table(header: Sequence[str], *rows: Sequence[str]) -> str:
    """Return CSV that `rows` reads back, and in which a spreadsheet finds no formula.

    A text that begins like one gets an apostrophe before it. The header is of letters, digits and `_`.
    """
    written = io.StringIO()
    rows = tuple([re.sub("\r\n?", "\n", cell) for cell in row] for row in rows)
    guarded = [[f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in rows]
    csv.writer(written, lineterminator="\n").writerows([header, *guarded])
    return written.getvalue()


def _csv(name: str, text: str) -> list[Row]:
    header_line = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    csv.field_size_limit(_MAX_FIELD)
    found: list[Row] = []
    wrong: list[str] = []
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Unreadable([f"{name}: is not CSV: {error}"]) from None
    if not table:
        return []
    header = [column.strip() for column in table[0]]
    wrong += [f"{name} row 1: column {at} has no name" for at, column in enumerate(header, 1) if not column]
    if len(header) == 1 and not header[0].replace("_", "").replace("-", "").replace(" ", "").isalnum():
        shown = f"{header[0][:80]!r}"
        raise Unreadable([f"{name} row 1: has one column, {shown}; separate columns by commas, semicolons or tabs"])
    twice = sorted({column for column in header if column and header.count(column) > 1})
    wrong += [f"{name} row 1 column {column}: stands there twice" for column in twice]
    for number, cells in enumerate(table[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            wrong.append(f"{name} row {number}: has {len(cells)} cells, the header has {len(header)} columns")
            continue
        values = (cell[1:] if _GUARDED.match(cell) else cell for cell in cells)
        found.append(Row(f"{name} row {number}", dict(zip(header, values, strict=True)), number))
    if wrong:
        raise Unreadable(wrong)
    return found


def _json_lines(name: str, text: str) -> list[Row]:
    found: list[Row] = []
    wrong: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            wrong.append(f"{name} row {number}: is not JSON")
            continue
        if isinstance(value, dict):
            found.append(Row(f"{name} row {number}", value, number))
        else:
            wrong.append(f"{name} row {number}: must be an object")
    if wrong:
        raise Unreadable(wrong)
    return found
