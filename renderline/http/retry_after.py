"""Parses the header `Retry-After` as servers really write it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_EPOCHS = 1e9
"""Larger numbers are epoch seconds, which some proxies write instead of a number of seconds."""


def parse_retry_after(headers: Mapping[str, str], *, now: float, longest: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, from 0 to `longest`; None if absent or unreadable.

    It is a number of seconds, an HTTP date (RFC 9110, section 10.2.3), or, against the standard, epoch seconds. A time
    is compared with the answer's own `Date`, so that a wrong clock on either side does no harm; without one, with
    `now` (epoch seconds).
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = _epoch(value)
    else:
        if not math.isfinite(seconds):
            return None
        if seconds < _EPOCHS:
            return min(max(seconds, 0.0), longest)
        until = seconds
    if until is None:
        return None
    sent = _epoch(headers.get("Date", ""))
    return min(max(until - (now if sent is None else sent), 0.0), longest)


def _epoch(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
