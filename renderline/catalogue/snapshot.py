"""A pick list as it was when it was read from the vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    """The rows of a list, and when (epoch seconds of the Redis server) they were read."""

    rows: Sequence[Mapping[str, Any]]
    at: float
    id: str
    """The field that holds the id of a row."""
    complete: bool = True
    """Whether all rows are here. Of a list that is too long the end is left out."""
    error: str | None = None
    """Why the newest attempt to read it again failed."""

    @cached_property
    def by_id(self) -> Mapping[str, Mapping[str, Any]]:
        """The rows by their id."""
        return {str(row[self.id]): row for row in self.rows}

    def age(self, now: float) -> float:
        """Return how many seconds ago it was read."""
        return max(0.0, now - self.at)


def matching(rows: Sequence[Mapping[str, Any]], words: str) -> list[Mapping[str, Any]]:
    """Return the rows in whose ids, names or labels all words occur, in any language and case."""
    wanted = words.casefold().split()
    return [row for row in rows if all(word in searched_text(row) for word in wanted)]


def searched_text(value: Any, *, key: str = "") -> str:
    """Return all texts of a row in lower case, joined by line breaks, without the URLs of pictures."""
    if isinstance(value, Mapping):
        return "\n".join(searched_text(inner, key=name) for name, inner in value.items())
    if isinstance(value, list):
        return "\n".join(searched_text(inner, key=key) for inner in value)
    return "" if "thumbnail" in key.lower() or value is None else str(value).casefold()


def label_of(row: Mapping[str, Any]) -> str:
    """Return the label of a row, in English if there is one. The vendor sends text, or text by language."""
    said = row.get("label") or row.get("name") or row.get("workspaceName")
    if isinstance(said, Mapping):
        return str(said.get("en") or next((text for text in said.values() if text), ""))
    return str(said or "")
