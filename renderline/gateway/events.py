"""Server-sent events: what happens to one render, or to all, as it happens; a broken stream goes on where it was."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from flask import Response, request
from flask_smorest import Blueprint
from redis import RedisError

from renderline.gateway.access import READ, needs
from renderline.gateway.description import described
from renderline.gateway.desk import Desk
from renderline.gateway.problem import Problem
from renderline.ledger import iso
from renderline.renders import FINAL

log = structlog.get_logger(__name__)

_EVENT_ID: Final = re.compile(r"[0-9]{1,15}-[0-9]{1,9}")
_AT_ONCE: Final = 500
# How long one look at the ledger's stream waits (seconds): also how soon a stream notices that the gateway stops.
_LOOK: Final = 1.0
_HEARTBEAT: Final = ": still here\n\n"
_RETRY_AFTER: Final = "5"
_LAST_ID = {
    "in": "header",
    "name": "Last-Event-ID",
    "description": "Go on after this event; the newest 10,000 are kept.",
    "schema": {"type": "string", "pattern": r"^([0-9]{1,15}-[0-9]{1,9})?$"},
}
_SSE: Final = "text/event-stream"
_EVENT = {
    "type": "object",
    "description": "One event of the stream; its `data` is JSON.",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
}


@dataclass
class Streams:
    """Keeps the number of open streams bounded: each takes a thread. `heartbeat` is in seconds.

    They all end soon after `closing` is set.
    """

    limit: int
    heartbeat: float = 15.0
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._free = threading.BoundedSemaphore(self.limit) if self.limit else None

    def open(self, messages: Iterator[str]) -> Response:
        """Return the answer that sends the messages; raises a 503 problem if there are too many streams already."""
        if self._free is None or not self._free.acquire(blocking=False):
            detail = f"All {self.limit} event streams are taken."
            raise Problem(503, detail, headers={"Retry-After": _RETRY_AFTER})
        stream = Response(messages, content_type=f"{_SSE}; charset=utf-8")
        stream.headers["Cache-Control"] = "no-store"
        # nginx would hold the events back.
        stream.headers["X-Accel-Buffering"] = "no"
        stream.call_on_close(self._free.release)
        return stream


def routes(desk: Desk, streams: Streams) -> Blueprint:
    """Return the routes of events."""
    blueprint = Blueprint("events", __name__, url_prefix="/v1", description="What happens, as it happens")

    @blueprint.route("/renders/<render_id:render_id>/events", methods=["GET"])
    @described("Follow a render until it ends", 200, _EVENT, fails=(404, 422), content_type=_SSE)
    @blueprint.doc(parameters=[_LAST_ID])
    @needs(READ)
    def follow_one(render_id: str) -> Response:
        """First comes an event `record`, the render as it is; then an event `change` for each state that it enters and
        each progress, and at its end `record` once more. With `Last-Event-ID` it goes on after that event; 204 says
        that nothing more will come. A comment comes when nothing else has for 15 s.
        """
        resumed = _last_event_id()
        newest = desk.listing.last_event()
        record = desk.record(render_id)
        if resumed is not None and desk.listing.trimmed(resumed):
            resumed = None
        ended = record["state"] in FINAL
        if resumed is None:
            first = [_message("record", record, newest)]
            return streams.open(_one(desk, render_id, [] if ended else _events(desk, streams, newest), first))
        if ended and not _missed(desk, render_id, resumed):
            return Response(status=204)
        return streams.open(_one(desk, render_id, _events(desk, streams, resumed), []))

    @blueprint.route("/events", methods=["GET"])
    @described("Follow all renders", 200, _EVENT, fails=(422,), content_type=_SSE)
    @blueprint.doc(parameters=[_LAST_ID])
    @needs(READ)
    def follow_all() -> Response:
        """An event `change` for each state that a render enters and each progress, from now on or after
        `Last-Event-ID`. An event `gap` says that some of those asked for are no longer kept: list the renders to see
        where they are.
        """
        resumed = _last_event_id()
        newest = desk.listing.last_event()
        lost = resumed is not None and desk.listing.trimmed(resumed)
        # The id without data lets a client go on from here that has seen no event yet.
        first = [_message("gap", {"after": resumed})] if lost else [f"id: {newest}\n\n"] if resumed is None else []
        return streams.open(_all(_events(desk, streams, resumed or newest), first))

    return blueprint


def _last_event_id() -> str | None:
    given = request.headers.get("Last-Event-ID")
    if given and not _EVENT_ID.fullmatch(given):
        said = {"path": "Last-Event-ID", "message": "is not the id of an event"}
        raise Problem(422, "1 field is wrong.", errors=[said])
    return given or None


_Event = tuple[str | None, dict[str, str]]
"""An event's id and fields; None and no fields when a heartbeat is due."""


def _one(desk: Desk, render_id: str, events: Iterable[_Event], first: list[str]) -> Iterator[str]:
    """Yield the messages of one render's stream."""
    yield from first
    for event_id, fields in events:
        if event_id is None:
            yield _HEARTBEAT
        elif fields["id"] == render_id:
            yield _message("change", _change(fields), event_id)
            if fields["state"] not in FINAL:
                continue
            try:
                record = desk.ledger.record(render_id)
            except RedisError as error:
                log.warning("a stream ended early", why=type(error).__name__)
                return
            # A replayed event may lie before a retry.
            if record is None or record["state"] in FINAL:
                if record:
                    yield _message("record", record, event_id)
                return


def _all(events: Iterable[_Event], first: list[str]) -> Iterator[str]:
    yield from first
    for event_id, fields in events:
        yield _HEARTBEAT if event_id is None else _message("change", _change(fields), event_id)


def _events(desk: Desk, streams: Streams, after: str) -> Iterator[_Event]:
    """Return the events as they come, to the reader of the present request.

    They end when the gateway stops, when Redis cannot be reached, and when the reader has gone.
    """
    return _followed(desk, streams, after, _departure())


def _followed(desk: Desk, streams: Streams, after: str, gone: Callable[[], bool]) -> Iterator[_Event]:
    beat = time.monotonic()
    look = min(_LOOK, streams.heartbeat)
    while not streams.closing.is_set() and not gone():
        try:
            entries = list(desk.listing.events(after=after, block=look, limit=_AT_ONCE))
        except RedisError as error:
            # The client comes back with the last id that it has seen.
            log.warning("a stream ended early", why=type(error).__name__)
            return
        for event_id, fields in entries:
            after = event_id
            yield event_id, fields
        if time.monotonic() - beat >= streams.heartbeat:
            beat = time.monotonic()
            yield None, {}


def _departure() -> Callable[[], bool]:
    """Return what tells whether the reader of the present request has closed the connection.

    Without it this would show only when something is sent, and a page that is reloaded would take stream after stream.
    """
    connection: socket.socket | None = request.environ.get("gunicorn.socket")

    def gone() -> bool:
        if connection is None:
            return False
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except ValueError:
            # A TLS connection cannot be looked into.
            return False
        except OSError:
            return True

    return gone


def _missed(desk: Desk, render_id: str, after: str) -> bool:
    """Tell whether something happened to the render after that event, as far as events are kept."""
    while entries := list(desk.listing.events(after=after, block=0.001, limit=_AT_ONCE)):
        if any(fields["id"] == render_id for _, fields in entries):
            return True
        after = entries[-1][0]
    return False


def _change(fields: dict[str, str]) -> dict[str, Any]:
    progress = float(fields.get("progress") or 0)
    return {"id": fields["id"], "state": fields["state"], "progress": progress, "at": iso(float(fields["at"]))}


def _message(event: str, data: dict[str, Any], event_id: str | None = None) -> str:
    lines = f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
    return f"id: {event_id}\n{lines}" if event_id else lines
