"""Server-sent events: limited in number, with heartbeats, ended when the reader or the gateway stops."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from flask import Response, request
from redis import RedisError

from renderline.gateway.access import READ, admission, caller
from renderline.gateway.problem import Problem
from renderline.gateway.server.environ import DISCONNECTED
from renderline.ledger import Ledger, Queries, iso
from renderline.renders import FINAL
from renderline.tenants import DEFAULT, Actor

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "text/event-stream"

_READ_LIMIT: Final = 500
# Seconds of one blocking read of the ledger's stream; also the longest time until a stream notices a shutdown.
_READ_TIMEOUT: Final = 1.0
_HEARTBEAT: Final = ": still here\n\n"
_RETRY_AFTER: Final = "5"

Event = tuple[str | None, dict[str, str]]
"""An event's id and fields; None and no fields when a heartbeat is due."""


@dataclass
class EventStreams:
    """Limits the number of open streams, because each takes a thread: `limit` in all, three quarters of them for one
    tenant, half of them for one API key. `heartbeat` is in seconds.

    All streams end soon after `closing` is set.
    """

    limit: int
    heartbeat: float = 15.0
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Actor] = []

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def open(self, messages: Iterator[str]) -> Response:
        """Return the answer that sends the messages.

        Raises a 429 problem if the API key has its streams already, a 503 problem if the tenant has or all are taken.
        """
        actor = caller()
        with self._lock:
            self._check_room(actor)
            self._open.append(actor)
        stream = Response(messages, content_type=f"{MEDIA_TYPE}; charset=utf-8")
        stream.headers["Cache-Control"] = "no-store"
        # Keeps nginx from buffering the events.
        stream.headers["X-Accel-Buffering"] = "no"
        stream.call_on_close(lambda: self._release(actor))
        return stream

    def _check_room(self, actor: Actor) -> None:
        of_tenant = [each for each in self._open if each.tenant == actor.tenant]
        of_key = sum(each.key_id == actor.key_id for each in of_tenant)
        most_of_tenant, most_of_key = (max(1, self.limit * part // 4) for part in (3, 2))
        headers = {"Retry-After": _RETRY_AFTER}
        if actor.key_id is not None and of_key >= most_of_key:
            raise Problem(429, f"{most_of_key} event streams of this API key are open already.", headers=headers)
        if len(of_tenant) >= most_of_tenant or len(self._open) >= self.limit:
            raise Problem(503, "All event streams are taken.", headers=headers)

    def _release(self, actor: Actor) -> None:
        with self._lock:
            self._open.remove(actor)

    def events(self, queries: Queries, after: str) -> Iterator[Event]:
        """Yield the later events, as they come, for the reader of the present request.

        It ends when the gateway stops, when Redis is unavailable, when the reader has disconnected, and within seconds
        when their API key is revoked.
        """
        return self._follow(queries, after, _disconnection(), admission(READ))

    def _follow(
        self, queries: Queries, after: str, disconnected: Callable[[], bool], admitted: Callable[[], bool]
    ) -> Iterator[Event]:
        last_heartbeat = time.monotonic()
        timeout = min(_READ_TIMEOUT, self.heartbeat)
        while not self.closing.is_set() and not disconnected():
            try:
                if not admitted():
                    return
                entries = list(queries.events(after=after, block=timeout, limit=_READ_LIMIT))
            except RedisError as error:
                # The client reconnects with the last id that it has received.
                log.warning("event stream ended: Redis is unavailable", error=type(error).__name__)
                return
            for event_id, fields in entries:
                after = event_id
                yield event_id, fields
            if time.monotonic() - last_heartbeat >= self.heartbeat:
                last_heartbeat = time.monotonic()
                yield None, {}


def render_messages(ledger: Ledger, render_id: str, events: Iterable[Event], first: Iterable[str]) -> Iterator[str]:
    """Yield the messages of one render's stream, until the render has ended."""
    yield from first
    for event_id, fields in events:
        if event_id is None:
            yield _HEARTBEAT
        elif fields["id"] == render_id:
            yield message("change", _change(fields), event_id)
            if fields["state"] not in FINAL:
                continue
            try:
                record = ledger.record(render_id)
            except RedisError as error:
                log.warning("event stream ended: Redis is unavailable", error=type(error).__name__)
                return
            # A replayed event may be older than a retry.
            if record is None or record["state"] in FINAL:
                if record:
                    yield message("record", record, event_id)
                return


def all_messages(events: Iterable[Event], first: Iterable[str], actor: Actor) -> Iterator[str]:
    """Yield the messages of the stream of all renders that the actor sees."""
    yield from first
    for event_id, fields in events:
        if event_id is None:
            yield _HEARTBEAT
        elif actor.sees(fields.get("tenant", DEFAULT)):
            yield message("change", _change(fields), event_id)


def has_events(queries: Queries, render_id: str, after: str) -> bool:
    """Return whether the ledger keeps an event of the render after that one."""
    while entries := list(queries.events(after=after, block=0.001, limit=_READ_LIMIT)):
        if any(fields["id"] == render_id for _, fields in entries):
            return True
        after = entries[-1][0]
    return False


def message(event: str, data: dict[str, Any], event_id: str | None = None) -> str:
    """Return one server-sent event."""
    lines = f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
    return f"id: {event_id}\n{lines}" if event_id else lines


def position(event_id: str) -> str:
    """Return an id without an event: a client that has received no event yet can reconnect with it."""
    return f"id: {event_id}\n\n"


def _change(fields: dict[str, str]) -> dict[str, Any]:
    progress = float(fields.get("progress") or 0)
    return {"id": fields["id"], "state": fields["state"], "progress": progress, "at": iso(float(fields["at"]))}


def _disconnection() -> Callable[[], bool]:
    """Return a function that returns whether the reader of the present request has disconnected.

    Without it only the next write would show that, and a page that reloads would take one stream after another.
    """
    disconnected: Callable[[], bool] = request.environ.get(DISCONNECTED, lambda: False)
    return disconnected
