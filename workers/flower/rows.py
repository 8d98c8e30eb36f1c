"""A render as Flower's pages show it: plain texts, which the templates escape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from renderline.explanation import Explanation
from renderline.explanation.wording import counted
from renderline.ledger.labels import one_line
from renderline.renders import State

_LONGEST = 300

_BADGES = {
    State.DELIVERED: "text-bg-success",
    State.COMPLETED: "text-bg-success",
    State.FAILED: "text-bg-danger",
    State.EXPIRED: "text-bg-danger",
    State.UNDELIVERED: "text-bg-danger",
    State.UNCONFIRMED: "text-bg-warning",
    State.RENDERING: "task-state-started",
    State.SUBMITTING: "task-state-started",
}

_FIELDS = ("id", "kind", "account", "tenant", "priority", "stage", "progress", "project_id", "credit")
_COUNTS = ("attempt", "attempts", "polls", "request_id", "accepted_by", "deadline", "note")


class Row(NamedTuple):
    """One render in the list, and the head of its own page."""

    id: str
    name: str
    labels: list[str]
    state: str
    badge: str
    sentence: str
    ends: str
    action: str
    account: str
    tenant: str
    kind: str
    accepted: str
    fields: list[tuple[str, str]]

    @property
    def accepted_shown(self) -> str:
        """Return the time of acceptance for people: in UTC, to the second."""
        return self.accepted[:19].replace("T", " ")


def row(record: Mapping[str, Any], explained: Explanation, labels: Sequence[str]) -> Row:
    """Return a public record as a row."""
    return Row(
        id=record["id"],
        name=_text(record["name"]),
        labels=[_text(record["metadata"].get(label)) for label in labels],
        state=record["state"],
        badge=_BADGES.get(record["state"], "text-bg-secondary"),
        sentence=_text(explained.sentence),
        ends=_text(explained.ends),
        action=_text(explained.action),
        account=record["account"],
        tenant=record["tenant"],
        kind=record["kind"],
        accepted=record["times"].get(State.ACCEPTED, ""),
        fields=list(_fields(record)),
    )


def commands(record: Mapping[str, Any]) -> list[str]:
    """Return the commands that an operator may want for a render in this state."""
    one, state = record["id"], record["state"]
    found = [f"renderline replay {one}"] if any(hook["state"] == "dead" for hook in record["hooks"]) else []
    if record.get("held"):
        found.append(f"renderline release {one}")
    if state in (State.FAILED, State.EXPIRED):
        found.append(f"renderline retry {one}")
    elif state == State.UNCONFIRMED:
        found += [
            f"renderline adopt {one} PROJECT",
            f"renderline resubmit {one}",
            f"renderline fail {one} --reason TEXT",
        ]
    elif state in (State.ACCEPTED, State.SUBMITTING, State.RENDERING):
        found.append(f"renderline cancel {one}")
    return found


def board_url(public_url: str | None, render_id: str) -> str | None:
    """Return the address of a render on the board; None if it is not known where the gateway is."""
    return f"{public_url.rstrip('/')}/renders/{quote(render_id)}" if public_url else None


def _fields(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(name, record.get(name)) for name in (*_FIELDS, *_COUNTS)]
    if error := record["error"]:
        found += [("error", " ".join(str(part) for part in (error["origin"], error["code"], error["message"]) if part))]
    for number, hook in enumerate(record["hooks"]):
        state = f"{hook['state']}, {counted(hook['attempts'], 'attempt')}"
        found.append((f"hook {number} {hook['type']}", f"{state}: {hook['error']}" if hook["error"] else state))
    found += [(f"metadata {name}", value) for name, value in record["metadata"].items()]
    return [(_text(name), _text(value)) for name, value in found if value not in (None, "")]


def _text(value: Any) -> str:
    return "" if value is None else one_line(str(value), _LONGEST)
