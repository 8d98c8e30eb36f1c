"""The texts under which a render is found: its name, words of its name, and its labels."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

LONGEST: Final = 64
"""Characters of a text that count."""
_LONGEST_WORD: Final = 32
_PLAIN: Final = re.compile(r'[^\x00-\x1f"\\\x7f-\U0010ffff]*').fullmatch
_INDEXED: Final = "indexed"

NAME: Final = ""
"""The list of names; others are called as their label."""
END: Final = "\t"
"""In the members of an index between a text and the id of its render."""


def folded(text: str) -> str:
    """Return a text as searches compare it: without case and control characters, spaces in one form, cut."""
    plain = text[: LONGEST * 4].casefold()
    if not plain.isprintable():
        plain = "".join(letter if letter.isprintable() else " " for letter in plain)
    return " ".join(plain.split())[:LONGEST].rstrip()


def texts_of(name: str | None, metadata: Mapping[str, Any], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the texts of a render, each with the list that it belongs to: `NAME`, or a label."""
    whole = folded(name or "")
    found = [(NAME, whole)] if whole else []
    found += [(NAME, word) for word in _telling_word(whole)]
    for label in labels:
        value = metadata.get(label)
        if value is not None and (text := folded(str(value))):
            found.append((label, text))
    return found


def _telling_word(whole: str) -> list[str]:
    """Return the most telling word of a name after the first, if there is one: with digits, or else the longest."""
    words = sorted(whole.split()[1:], key=lambda word: (any(map(str.isdecimal, word)), len(word)))
    return [word[:_LONGEST_WORD] for word in words[-1:]]


def member_of(text: str, render_id: str) -> str:
    """Return the member of an index, as the scripts build it: a text, and the id in a short form."""
    short = (
        base64.urlsafe_b64encode(bytes.fromhex(render_id)).decode().rstrip("=") if len(render_id) == 32 else render_id
    )
    return f"{text}{END}{short}"


def id_of(member: str) -> str:
    """Return the id of the render in a member of an index."""
    short = member.rpartition(END)[2]
    return base64.urlsafe_b64decode(f"{short}==").hex() if len(short) == 22 else short


def flat(texts: Sequence[tuple[str, str]]) -> list[str]:
    """Return lists and texts in turn, as the scripts take them."""
    return [part for pair in texts for part in pair]


def with_texts(meta: Mapping[str, Any], texts: Sequence[tuple[str, str]]) -> str:
    """Return the JSON of a render's fixed data with what it is indexed under, at its end, where the scripts read it.

    1 stands for a name that is the same but for capitals, as most are.
    """
    fixed = {name: value for name, value in meta.items() if name != _INDEXED}
    if not texts:
        return json.dumps(fixed, separators=(",", ":"))
    name, indexed = str(meta.get("name")), list[Any](flat(texts))
    if next(iter(fixed)) == "name" and _PLAIN(name) and indexed[:2] == [NAME, name.lower()]:
        indexed[1] = 1
    return json.dumps({**fixed, _INDEXED: indexed}, separators=(",", ":"))
