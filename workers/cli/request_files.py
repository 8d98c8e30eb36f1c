"""Request files: JSON or JSON lines, holding requests, lists of them, or bare vendor bodies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any


class Unreadable(ValueError):
    """A file is not JSON; `lines` says where, one line for each place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Item:
    """One request of a file, not checked yet, and its place for error messages."""

    place: str
    data: Any
    folder: str = "."
    """The folder of the file, from which the files that the request names are looked for."""


def items(name: str, raw: bytes) -> list[Item]:
    """Return the requests in a file's content; raises Unreadable with every line that is not JSON."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable([f"{name}: is not UTF-8 (byte {error.start})"]) from None
    if not text.strip():
        raise Unreadable([f"{name}: is empty"])
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _lines(name, text, error)
    if isinstance(value, list):
        if not value:
            raise Unreadable([f"{name}: holds no request"])
        return [Item(f"{name}[{place}]", one) for place, one in enumerate(value)]
    return [Item(name, value)]


def _lines(name: str, text: str, error: Exception) -> list[Item]:
    """Return the requests of JSON lines; if the first line is not JSON, the whole file is bad JSON."""
    # Not `splitlines`: a text in JSON may hold U+2028 and other characters that count as line breaks there.
    rows = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    found: list[Item] = []
    wrong: list[str] = []
    for number, line in rows:
        try:
            found.append(Item(f"{name} line {number}", json.loads(line)))
        except (ValueError, RecursionError) as fault:
            wrong.append(f"{name} line {number}: {_why(fault, with_line=False)}")
            if number == rows[0][0]:
                raise Unreadable([f"{name}: {_why(error, with_line=True)}"]) from None
    if wrong:
        raise Unreadable(wrong)
    return found


def _why(error: Exception, *, with_line: bool) -> str:
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if with_line else ""
        return f"is not JSON: {error.msg} ({line}column {error.colno})"
    if isinstance(error, RecursionError):
        return "is not JSON that can be read: nested too deeply"
    return "is not JSON that can be read: a number has too many digits"


def value_at(data: Any, path: str) -> Any:
    """Return the value at a dotted path such as `metadata.order`, None if there is none."""
    for step in path.split("."):
        data = data.get(step) if isinstance(data, dict) else None
    return data


def all_items(files: Iterator[tuple[str, bytes]]) -> list[Item]:
    """Return the requests of several files; raises Unreadable with the errors of all of them."""
    found: list[Item] = []
    wrong: list[str] = []
    for name, raw in files:
        try:
            found += [replace(one, folder=os.path.dirname(name)) for one in items(name, raw)]
        except Unreadable as fault:
            wrong += fault.lines
    if wrong:
        raise Unreadable(wrong)
    return found
