"""Links that narrow a search, or widen it again: they add a pair to its text, replace it or take it out."""

from __future__ import annotations

import re
from typing import Final

from flask import url_for

_TERM: Final = re.compile(r'(?:"[^"]*"|[^\s"])+')
_PLAIN: Final = re.compile(r"[^\s\"]+")


def pair(field: str, value: str) -> str:
    """Return a pair of a search, with quotes if the value needs them. A double quote in it cannot be expressed."""
    return f"{field}:{value}" if _PLAIN.fullmatch(value) else '{}:"{}"'.format(field, value.replace('"', " "))


def has(text: str, field: str, value: str) -> bool:
    """Return whether a search has this pair."""
    wanted = _bare(pair(field, value)).lower()
    return any(_bare(term).lower() == wanted for term in _TERM.findall(text))


def without(text: str, field: str) -> str:
    """Return a search without the pairs of a field."""
    return " ".join(term for term in _TERM.findall(text) if not _bare(term).lower().startswith(f"{field}:"))


def toggled(text: str, field: str, value: str) -> str:
    """Return a search with this pair in place of others of its field, or without it if it has it already."""
    rest = without(text, field)
    return rest if has(text, field, value) else f"{rest} {pair(field, value)}".strip()


def link(text: str, field: str, value: str) -> str:
    """Return the address of the list with the toggled search."""
    return url_for("board.renders", q=toggled(text, field, value) or None)


def _bare(term: str) -> str:
    return term.replace('"', "")
