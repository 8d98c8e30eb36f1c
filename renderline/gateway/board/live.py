"""The stream of changes that an open board listens to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from flask import Response, request

from renderline.gateway.access import READ, admission, caller
from renderline.gateway.board.access import requires
from renderline.gateway.board.blueprint import blp
from renderline.gateway.board.context import board
from renderline.gateway.context import context
from renderline.gateway.server.environ import DISCONNECTED

_HEARTBEAT: Final = ": still here\n\n"


@blp.get("/board/events")
@requires(READ)
def events() -> Response:
    """Send the changes of the renders that the session sees, in batches, four a second at most."""
    streams = context().streams
    admitted, disconnected = admission(READ), request.environ.get(DISCONNECTED, lambda: False)

    def goes_on() -> bool:
        return not streams.closing.is_set() and not disconnected() and admitted()

    return streams.open(_messages(board().feed.follow(caller().tenant, goes_on), streams.heartbeat))


def _messages(batches: Iterator[str | None], heartbeat: float) -> Iterator[str]:
    yield "event: open\ndata: {}\nretry: 3000\n\n"
    last = time.monotonic()
    for text in batches:
        if text is not None:
            yield f"event: changes\ndata: {text}\n\n"
        elif time.monotonic() - last < heartbeat:
            continue
        else:
            yield _HEARTBEAT
        last = time.monotonic()
