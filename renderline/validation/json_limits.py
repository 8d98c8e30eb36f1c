"""JSON limits (no NaN, NUL, lone surrogates, integers over 64 bits, nesting over 64 levels) and the canonical form."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any, Final

from renderline.validation.errors import MAX_ERRORS, join_path

MAX_DEPTH: Final = 64
"""Levels of lists and objects. The request itself is the first."""

BYTES_PER_VALUE: Final = 10
"""A request may have one value for this many of its allowed bytes; real ones have 15 to 27 bytes per value. In memory
a value takes far more than in the text, `[]` about thirty times as much.
"""

_BITS: Final = 64
# A string, complete or cut off, or the sign of another value. Nothing is read twice, so the time is linear.
_STRING_OR_SIGN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[,\[{]', re.DOTALL)
_STRING_OR_SIGN_IN_BYTES: Final = re.compile(_STRING_OR_SIGN.pattern.encode(), re.DOTALL)

_Trail = tuple[Any, object] | None


def json_errors(value: Any) -> dict[str, list[str]]:
    """Return an error by path for everything in `value` that breaks a JSON limit. Never raises, whatever the value."""
    found: dict[str, list[str]] = {}
    pending: list[tuple[Any, _Trail, int]] = [(value, None, 1)]
    while pending and len(found) <= MAX_ERRORS:
        each, trail, depth = pending.pop()
        error = None
        if isinstance(each, str):
            error = text_error(each)
        elif isinstance(each, dict | list):
            if depth > MAX_DEPTH:
                error = f"is nested more than {MAX_DEPTH} levels deep"
            elif isinstance(each, list):
                pending += [(inner, (trail, at), depth + 1) for at, inner in enumerate(each)]
            else:
                error = next(filter(None, map(_key_error, each)), None)
                pending += [(inner, (trail, key), depth + 1) for key, inner in each.items()]
        elif isinstance(each, float):
            error = None if math.isfinite(each) else "NaN and Infinity are not JSON"
        elif isinstance(each, int):
            error = None if each.bit_length() <= _BITS else f"must fit into {_BITS} bits"
        elif each is not None:
            error = f"is not a JSON value but a Python {type(each).__name__}"
        if error:
            found.setdefault(_path(trail), []).append(error)
    return found


def has_more_values(text: str | bytes, most: int) -> bool:
    """Return whether JSON text has more than `most` values, without parsing it; the text may be anything.

    Counted are commas and opening brackets outside of strings: each stands for about one value.
    """
    if isinstance(text, bytes):
        if sum(map(text.count, (b",", b"[", b"{"))) <= most:
            return False
        found = (match.start() for match in _STRING_OR_SIGN_IN_BYTES.finditer(text) if text[match.start()] != 0x22)
    else:
        if sum(map(text.count, ",[{")) <= most:
            return False
        found = (match.start() for match in _STRING_OR_SIGN.finditer(text) if text[match.start()] != '"')
    return next(islice(found, most, None), None) is not None


def canonical_json(value: Any) -> str:
    """Return `value` as compact JSON with sorted keys: the form that is stored, measured and compared."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def text_error(text: str) -> str | None:
    """Return why `text` cannot be stored and sent as UTF-8, None if it can."""
    if "\0" in text:
        return "contains a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "contains half of a surrogate pair, which is not Unicode text"
    return None


def _key_error(key: object) -> str | None:
    if not isinstance(key, str):
        return "has a key that is not a string"
    error = text_error(key)
    return f"has a key that {error}" if error else None


def _path(trail: _Trail) -> str:
    keys = []
    while trail is not None:
        trail, key = trail
        keys.append(key)
    path = ""
    for key in reversed(keys):
        path = join_path(path, key)
    return path or "request"
