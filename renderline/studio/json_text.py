"""Cleans the vendor's texts before they are stored: no lone surrogates, no control characters."""

import re
from typing import Any

_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


def may_need_cleaning(content: bytes) -> bool:
    """Return whether a JSON text may hold what `cleaned` replaces; a cheap check that most responses pass."""
    return b"\\" in content or not content.isascii() or b"\x7f" in content


def cleaned(value: Any) -> Any:
    """Return a decoded JSON value with every unsafe character in its texts and keys replaced."""
    if isinstance(value, str):
        return _UNSAFE.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return value
