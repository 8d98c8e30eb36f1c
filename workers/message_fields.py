"""Predicates over the fields of a task message, as read from JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.utils.time import maybe_iso8601

_MAX_ID = 255
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_ETA = timedelta(days=366)


def is_signature(value: Any) -> bool:
    """Return whether it has the parts of a task signature in a canvas."""
    if not isinstance(value, dict) or not isinstance(value.get("task"), str):
        return False
    shapes = (("args", list), ("kwargs", dict), ("options", dict))
    return all(isinstance(value.get(name), shape | None) for name, shape in shapes)


def is_id(value: Any) -> bool:
    """Return whether it is a printable text of 1 to 255 characters."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID:
        return False
    return value.isprintable()  # neither control characters nor halves of surrogate pairs


def is_name(value: Any) -> bool:
    """Return whether it is a render's id or an account's name: 1 to 64 letters, digits, `-` or `_`."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_count(value: Any) -> bool:
    """Return whether it is a whole number from 0 that JSON keeps exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_time(value: Any) -> bool:
    """Return whether it is None, or an ISO 8601 time at most a year from now."""
    if value is None:
        return True
    try:
        moment = maybe_iso8601(value) if isinstance(value, str) else None
        if moment is None:
            return False
        aware: datetime = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return abs(aware - datetime.now(UTC)) < _MAX_ETA
    except (ValueError, TypeError, OverflowError, AttributeError):
        return False


def is_time_limits(value: Any) -> bool:
    """Return whether it is None, or a pair of limits in seconds, each of which may be None."""
    if value is None:
        return True
    return isinstance(value, list) and len(value) == 2 and all(each is None or _is_limit(each) for each in value)


def _is_limit(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**31


def is_list_of(value: Any, shape: type) -> bool:
    """Return whether it is a list that holds only values of this type."""
    return isinstance(value, list) and all(isinstance(each, shape) for each in value)
