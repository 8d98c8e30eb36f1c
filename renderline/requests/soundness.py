"""What makes a value sound JSON to store and send: no NaN, NUL, lone surrogates, huge numbers or bottomless nesting."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from renderline.payloads.refusal import MOST_ERRORS, joined

DEEPEST: Final = 64
"""Levels of lists and objects, the request itself being the first."""

_BITS: Final = 64

_Trail = tuple[Any, object] | None


def faults(value: Any) -> dict[str, list[str]]:
    """Return the path and fault of everything in `value` that is not sound JSON; never raises, whatever it is given."""
    found: dict[str, list[str]] = {}
    pending: list[tuple[Any, _Trail, int]] = [(value, None, 1)]
    while pending and len(found) <= MOST_ERRORS:
        each, trail, depth = pending.pop()
        fault = None
        if isinstance(each, str):
            fault = _text_fault(each)
        elif isinstance(each, dict | list):
            if depth > DEEPEST:
                fault = f"is nested more than {DEEPEST} levels deep"
            elif isinstance(each, list):
                pending += [(inner, (trail, at), depth + 1) for at, inner in enumerate(each)]
            else:
                fault = next(filter(None, map(_key_fault, each)), None)
                pending += [(inner, (trail, key), depth + 1) for key, inner in each.items()]
        elif isinstance(each, float):
            fault = None if math.isfinite(each) else "NaN and Infinity are not JSON"
        elif isinstance(each, int):
            fault = None if each.bit_length() <= _BITS else f"must fit into {_BITS} bits"
        elif each is not None:
            fault = f"is not a JSON value but a Python {type(each).__name__}"
        if fault:
            found.setdefault(_path(trail), []).append(fault)
    return found


def canonical(value: Any) -> str:
    """Return `value` as compact JSON with sorted keys, the form that is stored, measured and compared."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "contains a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "contains half of a surrogate pair, which is not Unicode text"
    return None


def _key_fault(key: object) -> str | None:
    if not isinstance(key, str):
        return "has a key that is not a string"
    fault = _text_fault(key)
    return f"has a key that {fault}" if fault else None


def _path(trail: _Trail) -> str:
    keys = []
    while trail is not None:
        trail, key = trail
        keys.append(key)
    path = ""
    for key in reversed(keys):
        path = joined(path, key)
    return path or "request"
