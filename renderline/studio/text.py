"""The vendor's text made fit to be kept: no halves of surrogate pairs, no control characters."""

import re
from typing import Any

_HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_INSTEAD = "\ufffd"


def may_harm(content: bytes) -> bool:
    """Return whether a JSON text may hold what `cleaned` replaces; a cheap look that spares most answers the rest."""
    return b"\\" in content or not content.isascii() or b"\x7f" in content


def cleaned(value: Any) -> Any:
    """Return a decoded JSON value with every harmful character in its texts and keys replaced."""
    if isinstance(value, str):
        return _HARMFUL.sub(_INSTEAD, value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return value
