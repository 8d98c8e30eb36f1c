"""Hook kinds: what each kind implements, the delivery it gets, and the error it raises."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from marshmallow import Schema, fields, validate

from renderline.tenants import DEFAULT, Actor, Tenant

COMPLETED = "render.completed"

CELERY_VARIABLE = "RENDERLINE_CELERY_HOOKS"
TENANTS_VARIABLE = "RENDERLINE_TENANTS"

USER_AGENT = "Renderline/1 (+hooks)"
LONGEST_RETRY_AFTER = 86_400.0
"""The most seconds that a hook waits because an endpoint asks for it."""

LONGEST_WAIT = 86_400
"""The longest wait (seconds) before a retry for which a request may ask."""
MOST_WAITS = 20
"""How many waits a request may list."""

MOST_ATTEMPTS = 100
"""The most calls to which a request may limit a hook."""

#: Every event that a hook can receive.
FINAL_EVENTS = (COMPLETED, "render.failed", "render.expired", "render.canceled")
#: The events of a hook without an `events` list. A cancel is left out, since its caller knows about it.
DEFAULT_EVENTS = FINAL_EVENTS[:3]


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One delivery of one event to one hook.

    `webhook_id` is the same on every retry and replay, so that an endpoint can drop repeats; `timestamp` is the time
    of this delivery in epoch seconds; `record` is the public render record. `seconds` are the most that a call to an
    endpoint may take now, None for as many as the kind allows.
    """

    event: str
    webhook_id: str
    timestamp: float
    record: dict[str, Any]
    seconds: float | None = None

    def body(self) -> dict[str, Any]:
        """Return the body: the event's type, the time of this delivery (ISO 8601, UTC) and the record."""
        time = datetime.fromtimestamp(self.timestamp, UTC).isoformat(timespec="milliseconds")
        return {"type": self.event, "timestamp": time.replace("+00:00", "Z"), "data": self.record}


class HookFailed(Exception):
    """The delivery failed; the message says what was wrong and what to do.

    `retry_after` are the seconds that the endpoint asked to wait, if it did. `permanent`: a retry cannot help until
    somebody changes something. `unreachable`: nobody answered. `fields`: what was done all the same, merged into the
    record as that of a delivery. `status`: the HTTP status of the answer. `logged`: the log shows
    the outage that this is a part of. The message is shown with the render;
    `reason` is for the operator's log, where the message must not tell what it knows about the inner network.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        permanent: bool = False,
        unreachable: bool = False,
        reason: str | None = None,
        fields: Mapping[str, Any] | None = None,
        status: int | None = None,
        logged: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.logged = status, logged
        self.fields = fields
        self.reason = reason or message
        self.unreachable = unreachable
        self.retry_after = retry_after
        self.permanent = permanent


@runtime_checkable
class HookKind(Protocol):
    """One kind of hook, such as `http`; other packages add kinds through the entry points `renderline.hooks`."""

    @property
    def type(self) -> str:
        """The value of `type` in a request's hook."""

    @property
    def schema(self) -> Schema:
        """Validates the hook object of a request, its `type` included; unknown fields are refused."""

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        """Return whether this hook (or, without one, any hook of this kind) asks for the event."""

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Return why this hook cannot work with the present settings, naming the variable to set; None if it can."""

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Deliver, and return the fields to merge into the record; raises HookFailed.

        A field `status`, the HTTP status of the answer, is shown in the timeline only.

        It may be called again with the same `webhook_id`, also while an earlier call still runs.
        """


def problem_of(kind: HookKind, hook: Mapping[str, Any], tenant: Tenant, actor: Actor) -> str | None:
    """Return why a tenant's request through this actor's door may not name the hook; None if it may.

    A kind may have a method `refusal(hook, tenant, actor)` that says so; otherwise its `problem` does.
    """
    method = getattr(kind, "refusal", None)
    found = method(hook, tenant, actor) if method else kind.problem(hook)
    return None if found is None else str(found)


def missing_part(kind: HookKind, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Return what a hook needs and this process lacks, such as `http:acme/billing`; None if nothing is missing.

    A kind may have a method `missing(hook, record)` that returns it. Such a hook waits for a worker that has it.
    """
    method = getattr(kind, "missing", None)
    found = method(hook, record) if method else None
    return None if found is None else str(found)


def host_of(kind: HookKind, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return the host that a hook calls, empty if it calls none.

    A kind may have a method `host(hook, record)` that returns it. Then only so many hooks of one host run at once, and
    none while its circuit is open.
    """
    method = getattr(kind, "host", None)
    return str(method(hook, record)) if method else ""


def endpoint_of(kind: HookKind, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return where a hook goes, for people; empty if its kind does not say.

    A kind may have a method `endpoint(hook, record)` that returns it, without credentials, query and other secrets.
    """
    method = getattr(kind, "endpoint", None)
    return str(method(hook, record)) if method else host_of(kind, hook, record)


def setting_of(tenant: Tenant, field: str, variable: str) -> str:
    """Return the name of the setting in which an operator sets a field of a tenant's policy."""
    return variable if tenant.name == DEFAULT else f"{field} of tenant {tenant.name} ({TENANTS_VARIABLE})"


class EventsSchema(Schema):
    """The optional `events` list: the events that a hook asks for."""

    events = fields.List(
        fields.String(validate=validate.OneOf(FINAL_EVENTS)),
        validate=validate.Length(min=1, max=len(FINAL_EVENTS)),
    )


class RetriedSchema(EventsSchema):
    """Optionally, when a failing hook is retried: for `retry_for` seconds, with at most `attempts` calls, and after
    `waits` of its own, in seconds, of which the last repeats.
    """

    retry_for = fields.Integer(strict=True, validate=validate.Range(min=1))
    attempts = fields.Integer(strict=True, validate=validate.Range(min=1, max=MOST_ATTEMPTS))
    waits = fields.List(
        fields.Integer(
            strict=True,
            validate=validate.Range(min=1, max=LONGEST_WAIT, error="must be from {min} to {max} seconds."),
        ),
        validate=validate.Length(min=1, max=MOST_WAITS, error="must be from {min} to {max} waits."),
    )


def chosen(event: str, hook: Mapping[str, Any] | None) -> bool:
    """Return whether the hook asks for the event: by its own `events`, or by default."""
    return event in ((hook or {}).get("events") or DEFAULT_EVENTS)
