"""The texts under which a render is found: its name, words of its name, and its labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

LONGEST: Final = 64
"""Characters of a text that count."""
_WORDS: Final = 2
"""Words of a name, beside the first, at which it is found too."""

_INDEXED: Final = "indexed"

NAME: Final = ""
"""The list of names; others are called as their label."""


def folded(text: str) -> str:
    """Return a text as searches compare it: without case and control characters, spaces in one form, cut."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: LONGEST * 4].casefold())
    return " ".join(plain.split())[:LONGEST].rstrip()


def texts_of(name: str | None, metadata: Mapping[str, Any], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the texts of a render, each with the list that it belongs to: `NAME`, or a label."""
    whole = folded(name or "")
    found = [(NAME, whole)] if whole else []
    found += [(NAME, one) for one in _later_words(whole)]
    for label in labels:
        value = metadata.get(label)
        if value is not None and (text := folded(str(value))):
            found.append((label, text))
    return found


def _later_words(whole: str) -> list[str]:
    """Return what follows from the most telling words after the first: those with digits, then the longest."""
    starts = [place + 1 for place, letter in enumerate(whole) if letter == " "]
    words = {start: whole[start:].partition(" ")[0] for start in starts}
    telling = sorted(starts, key=lambda start: (not any(map(str.isdecimal, words[start])), -len(words[start])))
    return [whole[start:] for start in sorted(telling[:_WORDS])]


def flat(texts: Sequence[tuple[str, str]]) -> list[str]:
    """Return lists and texts in turn, as the scripts take them."""
    return [part for pair in texts for part in pair]


def with_texts(meta: Mapping[str, Any], texts: Sequence[tuple[str, str]]) -> str:
    """Return the JSON of a render's fixed data with what it is indexed under, at its end, where the scripts read it."""
    fixed = {name: value for name, value in meta.items() if name != _INDEXED}
    return json.dumps({**fixed, **({_INDEXED: flat(texts)} if texts else {})}, separators=(",", ":"))
