"""Lenient readings of single values of an answer: texts, percentages, lists."""

import math
from typing import Any

COMPLETE = 100.0

LONGEST_TEXT = 8192
"""Characters; no id, URL or name of a project is that long."""


class Unreadable(ValueError):
    """The answer has none of the documented forms."""


def text_of(value: Any) -> str | None:
    """Return a non-empty string stripped of blanks, an integer as text, and None for everything else."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def first_text(found: Any, *names: str) -> str | None:
    """Return the text of the first of these fields that has one; None if `found` is no object, or has none of them."""
    if not isinstance(found, dict):
        return None
    return next((text for text in (text_of(found.get(name)) for name in names) if text is not None), None)


def percent_of(value: Any) -> float:
    """Return a progress given as int, float or numeric text as a float within 0-100; raise Unreadable otherwise."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            raise Unreadable("progress is not a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unreadable("progress is not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable("progress is not a finite number")
    return float(min(max(value, 0), COMPLETE))


def rows(data: Any) -> list[dict[str, Any]]:
    """Return the objects of a list answer: `data` itself, or the first list inside it; raise Unreadable."""
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), None)
    if not isinstance(data, list):
        raise Unreadable("the answer holds no list")
    return [row for row in data if isinstance(row, dict)]
