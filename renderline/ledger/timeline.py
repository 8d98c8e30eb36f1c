"""The timeline of a render: its transitions, vendor calls, hook attempts, operations and webhooks, in order.

The ledger's scripts note transitions and webhooks, each with the step that it belongs to. `TimelineWriter` notes what
processes do. A render from before there were timelines shows the transitions that its record knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypedDict

from redis import ResponseError

from renderline.ledger.record import iso
from renderline.ledger.store import Ledger
from renderline.renders import webhook_id

_TYPES: Final = {"c": "call", "h": "hook", "o": "operation", "t": "transition", "w": "webhook"}


class Entry(TypedDict):
    """An entry as JSON."""

    at: str
    """When it began: ISO 8601 in UTC, with milliseconds."""
    type: str
    """`transition`, `call`, `hook`, `operation` or `webhook`."""
    name: str
    """The new state, the vendor's endpoint, `hook 0 http`, or the operation."""
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
    endpoint: str | None
    """Where a hook went, without query and secrets."""
    webhook_id: str | None
    """The id under which a hook was sent: its header `webhook-id`, or the id of its task."""


class Timeline:
    """Reads the timelines of renders, and notes what people did to them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, render_id: str) -> list[Entry]:
        """Return the newest 200 entries of a render, oldest first; none if there is no such render."""
        key = self._ledger.keys.timeline(render_id)
        try:
            lines: Any = self._ledger.redis.lrange(key, 0, -1)
        except ResponseError:
            # It holds something else.
            lines = []
        # An entry that was sent twice, over a connection that broke, is there twice.
        found = [entry for line in dict.fromkeys(map(str, lines)) if (entry := _entry(render_id, line))]
        if not found:
            record = self._ledger.record(render_id)
            found = list(_transitions(record)) if record else []
        return sorted(found, key=lambda entry: entry["at"])

    def operation(self, render_id: str, name: str, *, by: str, result: str = "ok") -> None:
        """Note what somebody did to a render."""
        rest = fields_of(name=name, result=result, by=by)
        self._ledger.run("timeline_note", render_id, "o", "", "", rest)


def fields_of(
    *,
    name: str,
    status: int | None = None,
    seconds: float | None = None,
    result: str = "",
    by: str = "",
    endpoint: str = "",
) -> str:
    """Return the fields of an entry after its type, time and attempt, as the scripts take them; texts are cleaned."""
    took = "" if seconds is None else f"{seconds:.3f}".rstrip("0").rstrip(".")
    parts = (name, "" if status is None else str(status), took, result, by, endpoint)
    kept = [_cleaned(text, most) for text, most in zip(parts, (120, 3, 12, 200, 100, 200), strict=True)]
    return "\t".join(kept).rstrip("\t")


def _cleaned(text: str, most: int) -> str:
    """Return the text on one line and shortened; what cannot be printed becomes U+FFFD."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return line if len(line) <= most else line[: most - 3] + "..."


def _entry(render_id: str, line: str) -> Entry | None:
    """Return the entry that a line holds; None for a line of another form."""
    kind, at, attempt, name, status, seconds, result, by, endpoint = (line.split("\t") + [""] * 9)[:9]
    try:
        return {
            "at": iso(float(at)),
            "type": _TYPES[kind],
            "name": name,
            "attempt": int(attempt),
            "status": int(status) if status else None,
            "seconds": float(seconds) if seconds else None,
            "result": result,
            "by": by or None,
            "endpoint": endpoint or None,
            "webhook_id": _webhook_id(render_id, int(attempt), name) if kind == "h" else None,
        }
    except (LookupError, ValueError, OverflowError, OSError):
        return None


def _webhook_id(render_id: str, attempt: int, name: str) -> str | None:
    """Return the id of the hook that a name such as `hook 0 http` says; None for a download, which sends nothing."""
    _, index, kind = name.split(" ", 2)
    return None if kind == "download" else webhook_id(render_id, attempt, int(index))


def _transitions(record: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the transitions that a record shows: the newest into each state, of each attempt."""
    for one in (*record["history"], record):
        for state, at in one["times"].items():
            yield {
                "at": at,
                "type": "transition",
                "name": state,
                "attempt": one["attempt"],
                "status": None,
                "seconds": None,
                "result": "",
                "by": None,
                "endpoint": None,
                "webhook_id": None,
            }
