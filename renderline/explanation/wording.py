"""Times, durations and foreign texts as explanations say them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

LONGEST: Final = 200
"""Characters of a foreign text that are shown."""

_SOON: Final = 120.0
"""Seconds around now within which a time has its seconds."""


def clean(text: object, *, most: int = LONGEST) -> str:
    """Return a foreign text on one line, without control characters, shortened; a full stop at its end is dropped."""
    given = str(text)[: most * 10]
    line = " ".join("".join(one if one.isprintable() else " " for one in given).split()).rstrip(".")
    return line if len(line) <= most else line[: most - 3].rstrip() + "..."


def moment(at: float, *, now: float) -> str:
    """Return a time in UTC, such as `14:02 UTC`; with seconds if it is near, with the date if it is another day."""
    then, today = datetime.fromtimestamp(at, tz=UTC), datetime.fromtimestamp(now, tz=UTC)
    clock = then.strftime("%H:%M:%S" if abs(at - now) < _SOON else "%H:%M")
    return f"{clock} UTC" if then.date() == today.date() else f"{then.date().isoformat()} {clock} UTC"


def coming(at: float, *, now: float) -> str:
    """Return a time to come with how long it takes, such as `14:32 UTC (in 4 min)`."""
    return f"{moment(at, now=now)} (in {span(at - now)})" if at > now else f"{moment(at, now=now)} (now)"


def gone(at: float, *, now: float) -> str:
    """Return a time that has passed with how long ago it was, such as `14:02 UTC (12 min ago)`."""
    return f"{moment(at, now=now)} ({span(now - at)} ago)" if now - at >= 1 else moment(at, now=now)


def span(seconds: float) -> str:
    """Return a duration, such as `6 min` or `2 h 5 min`."""
    seconds = max(0, round(seconds))
    for size, unit, small, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min"


def epoch(iso: str | None) -> float | None:
    """Return the epoch seconds of an ISO 8601 time of a record; None without one, or for another text."""
    try:
        return datetime.fromisoformat(iso).timestamp() if iso else None
    except (TypeError, ValueError):
        return None


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as `1 attempt` or `1,200 attempts`; `many` if it takes more than an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
