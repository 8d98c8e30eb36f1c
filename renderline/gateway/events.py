"""The routes of server-sent events: the changes of one render, or of all, as they happen."""

from __future__ import annotations

from typing import Final

from flask import Response

from renderline.gateway.access import READ, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.gateway.event_stream import MEDIA_TYPE, all_messages, has_events, message, position, render_messages
from renderline.gateway.request_schemas import LastEventIdHeader
from renderline.renders import FINAL

blp = Blueprint("events", __name__, url_prefix="/v1", description="Changes as they happen")

_EVENT: Final = {
    "type": "object",
    "description": "One event of the stream; its `data` is JSON.",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
}


@blp.route("/renders/<render_id:render_id>/events", methods=["GET"])
@requires(READ)
@blp.arguments(LastEventIdHeader, location="headers")
@blp.response(200, _EVENT, content_type=MEDIA_TYPE)
@blp.alt_response(204, description="The render has ended, and no event came after `Last-Event-ID`.", success=True)
@blp.problems(404, 422)
def follow_one(headers: dict[str, str], render_id: str) -> Response:
    """Follow a render until it ends.

    The first event is `record`, the render as it is. An event `change` follows for each new state and each progress,
    and at the render's end `record` once more. With `Last-Event-ID` the stream continues after that event; 204 says
    that nothing more will come. A comment is sent when nothing has happened for 15 s.
    """
    app = context()
    resumed = headers.get("last_event_id")
    newest = app.queries.last_event()
    record = app.record(render_id)
    ended = record["state"] in FINAL
    if not resumed or app.queries.trimmed(resumed):
        events = iter(()) if ended else app.streams.events(app.queries, newest)
        return app.streams.open(render_messages(app.ledger, render_id, events, [message("record", record, newest)]))
    if ended and not has_events(app.queries, render_id, resumed):
        return Response(status=204)
    return app.streams.open(render_messages(app.ledger, render_id, app.streams.events(app.queries, resumed), []))


@blp.route("/events", methods=["GET"])
@requires(READ)
@blp.arguments(LastEventIdHeader, location="headers")
@blp.response(200, _EVENT, content_type=MEDIA_TYPE)
@blp.problems(422)
def follow_all(headers: dict[str, str]) -> Response:
    """Follow all renders.

    An event `change` is sent for each new state and each progress, from now on or after `Last-Event-ID`. An event `gap`
    says that some events after that id are no longer kept: list the renders to see their states.
    """
    app = context()
    resumed = headers.get("last_event_id")
    newest = app.queries.last_event()
    first: list[str] = []
    if not resumed:
        first = [position(newest)]
    elif app.queries.trimmed(resumed):
        first = [message("gap", {"after": resumed})]
    return app.streams.open(all_messages(app.streams.events(app.queries, resumed or newest), first, caller()))
