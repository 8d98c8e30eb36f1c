"""The timeline of a render: its transitions, vendor calls, hook attempts and operations, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from renderline.ledger.store import Ledger


class Entry(TypedDict):
    """An entry as JSON."""

    at: str
    """When it began: ISO 8601 in UTC, with milliseconds."""
    type: str
    """`transition`, `call`, `hook`, `operation` or `webhook`."""
    name: str
    """The new state, the vendor's endpoint, `hook 1 http` (counted from 1), or the operation."""
    attempt: int
    """The attempt of the render, from 1."""
    status: int | None
    """The HTTP status of the answer."""
    seconds: float | None
    """How long it took."""
    result: str
    """`ok`, or what went wrong: one short line; empty for a transition."""
    by: str | None
    """Who did it, if a person or a key did."""


class Timeline:
    """Reads the timelines of renders."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, render_id: str) -> list[Entry]:
        """Return the newest 200 entries of a render, oldest first; none if there is no such render."""
        record = self._ledger.record(render_id)
        return sorted(_transitions(record), key=lambda entry: entry["at"]) if record else []


def _transitions(record: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the transitions that a record shows: the newest into each state, of each attempt."""
    for one in (*record["history"], record):
        for state, at in one["times"].items():
            attempt = 1 if state == "accepted" and one["attempt"] == 1 else one["attempt"]
            yield {
                "at": at,
                "type": "transition",
                "name": state,
                "attempt": attempt,
                "status": None,
                "seconds": None,
                "result": "",
                "by": None,
            }
