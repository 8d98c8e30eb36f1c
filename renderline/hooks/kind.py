"""What a hook is: the delivery it is handed, the kind that carries it out, and how it says that it failed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from marshmallow import Schema, fields, validate

COMPLETED = "render.completed"

USER_AGENT = "Renderline/1 (+hooks)"
LONGEST_RETRY_AFTER = 86_400.0
"""The most seconds that a hook waits because an endpoint asks for it."""

#: Every event after which nothing more happens to a render by itself.
FINAL_EVENTS = (COMPLETED, "render.failed", "render.expired", "render.canceled")
#: What a hook without an `events` list is told: a cancellation is no news to the one who asked for it.
DEFAULT_EVENTS = FINAL_EVENTS[:3]


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One try at telling one hook about one event.

    `webhook_id` is the same on every retry and replay, so that a receiver can drop what it has seen;
    `timestamp` is the time of this try in epoch seconds; `record` is the public render record.
    """

    event: str
    webhook_id: str
    timestamp: float
    record: dict[str, Any]

    def body(self) -> dict[str, Any]:
        """Return what a receiver gets: the event's type, the time of this try (ISO 8601, UTC) and the record."""
        moment = datetime.fromtimestamp(self.timestamp, UTC).isoformat(timespec="milliseconds")
        return {"type": self.event, "timestamp": moment.replace("+00:00", "Z"), "data": self.record}


class HookFailed(Exception):
    """The hook did not take the delivery; the message tells the person who must act what was wrong.

    `retry_after` is the number of seconds that the receiver asked to be left alone, if it did.
    `permanent` says that a repeat cannot help until somebody changes something; `unreachable` that nobody answered.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, permanent: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(message)
        self.unreachable = unreachable
        self.retry_after = retry_after
        self.permanent = permanent


@runtime_checkable
class HookKind(Protocol):
    """One kind of hook, such as `http`; other packages add kinds through the entry points `renderline.hooks`."""

    @property
    def type(self) -> str:
        """The word that a request's hook names this kind by."""

    @property
    def schema(self) -> Schema:
        """Validates the hook object of a request, its `type` included; unknown fields are refused."""

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        """Say whether this hook (or, without one, any hook of this kind) is to be told about the event."""

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Say why this hook cannot work with the present settings, naming the variable to set; None if it can."""

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Carry the delivery out and return the fields to merge into the record; raises HookFailed.

        It may be called again with the same `webhook_id`, also while an earlier call still runs.
        """


def host_of(kind: HookKind, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return the host that a hook calls, empty if it calls none.

    A kind may have a method `host(hook, record)` that says it: of one host only so many run at once, and none while it
    is away.
    """
    method = getattr(kind, "host", None)
    return str(method(hook, record)) if method else ""


class EventsSchema(Schema):
    """The optional `events` list, by which a hook narrows what it is told."""

    events = fields.List(
        fields.String(validate=validate.OneOf(FINAL_EVENTS)),
        validate=validate.Length(min=1, max=len(FINAL_EVENTS)),
    )


def chosen(event: str, hook: Mapping[str, Any] | None) -> bool:
    """Say whether the hook's own `events` list, if it has one, holds the final event."""
    return event in ((hook or {}).get("events") or DEFAULT_EVENTS)
