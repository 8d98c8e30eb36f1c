"""How the board writes what records hold: foreign text without what could change the page, times, ages."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

_LONGEST: Final = 2000
_UNSEEN: Final = re.compile(
    # Control characters, marks that change the direction of a text, halves of surrogate pairs.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def shown(value: Any) -> Any:
    """Return a value as a page may show it. Jinja escapes it afterwards, unless it is markup of our own."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    if value.isascii() and value.isprintable():
        return value
    return _UNSEEN.sub("\ufffd", value)


def short(text: str | None, most: int = 120) -> str:
    """Return a text with at most `most` characters, of which no pile of accents remains."""
    plain = unicodedata.normalize("NFC", shown(text or "")[:_LONGEST])
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def duration(seconds: float | None) -> str:
    """Return seconds as text, such as `3 min`."""
    if seconds is None:
        return ""
    left = max(0.0, seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if left >= size:
            return f"{int(left // size)} {unit}"
    return f"{int(left)} s"


def age(moment: str | None, *, clock: Callable[[], float] = time.time) -> str:
    """Return how long ago an ISO 8601 time was; empty without one."""
    return duration(clock() - datetime.fromisoformat(moment).timestamp()) if moment else ""


def minute(moment: str | None) -> str:
    """Return an ISO 8601 time as a person reads it, in UTC."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S} UTC" if moment else ""
