"""Field tables: a check per type, and `walk`, which applies a table to an object."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Any], str | None]
"""Returns what is wrong with a value, or None."""

Table = Mapping[str, tuple[Check, bool]]
"""Field name to its check and whether it is required. Optional fields may be null; unknown fields are allowed."""


def text(value: Any) -> str | None:
    """Any string."""
    return None if isinstance(value, str) else "must be a string"


def filled(value: Any) -> str | None:
    """A string that is not blank."""
    return None if isinstance(value, str) and value.strip() else "must be a string that is not empty"


def boolean(value: Any) -> str | None:
    """true or false."""
    return None if isinstance(value, bool) else "must be true or false"


def number(value: Any) -> str | None:
    """Int or float."""
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "must be a number"


def integer(value: Any) -> str | None:
    """A whole number; 3.0 is one."""
    if number(value) is not None or (isinstance(value, float) and not value.is_integer()):
        return "must be a whole number"
    return None


def obj(value: Any) -> str | None:
    """A JSON object."""
    return None if isinstance(value, dict) else "must be an object"


def array(value: Any) -> str | None:
    """A JSON array."""
    return None if isinstance(value, list) else "must be an array"


def full_array(value: Any) -> str | None:
    """A JSON array with at least one entry."""
    return None if isinstance(value, list) and value else "must be an array with at least one entry"


def web_address(value: Any) -> str | None:
    """An http(s) URL."""
    good = isinstance(value, str) and value.startswith(("http://", "https://"))
    return None if good else "must be an http or https URL"


def one_of(allowed: Iterable[str]) -> Check:
    """One of these strings."""
    values = frozenset(allowed)
    message = f"must be one of {', '.join(sorted(values))}"
    return lambda value: None if isinstance(value, str) and value in values else message


def one_number_of(allowed: Iterable[float]) -> Check:
    """One of these numbers."""
    values = tuple(allowed)
    message = f"must be one of {', '.join(f'{value:g}' for value in values)}"
    return lambda value: None if number(value) is None and value in values else message


def language_code(value: Any) -> str | None:
    """An ISO 639-1 code."""
    good = isinstance(value, str) and re.fullmatch(r"[a-z]{2}", value)
    return None if good else "must be an ISO 639-1 code of two letters"


def between(kind: Check, low: float, high: float) -> Check:
    """A number of this kind within limits."""

    def check(value: Any) -> str | None:
        wrong = kind(value)
        if wrong is None and not low <= value <= high:
            return f"must be between {low} and {high}"
        return wrong

    return check


def either(first: Check, second: Check, message: str) -> Check:
    """What one of two checks accepts."""
    return lambda value: None if first(value) is None or second(value) is None else message


def walk(value: Any, table: Table, path: str, problems: list[str]) -> bool:
    """Check an object against a table, adding `path: what is wrong`; True if it is an object at all."""
    if not isinstance(value, dict):
        problems.append(f"{path or 'body'}: must be an object")
        return False
    prefix = f"{path}." if path else ""
    for name, (check, required) in table.items():
        entry = value.get(name)
        if entry is None:
            if required:
                problems.append(f"{prefix}{name}: is required")
            continue
        wrong = check(entry)
        if wrong is not None:
            problems.append(f"{prefix}{name}: {wrong}")
    return True
