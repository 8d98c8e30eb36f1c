"""The id of each HTTP request: the caller's own, or a new one. It goes with a render to its last hook."""

from __future__ import annotations

import re
import uuid
from typing import Final

import structlog
from flask import Flask, Response, g, has_request_context, request

from renderline.contract import request_id_error

HEADER: Final = "X-Request-ID"
# W3C Trace Context: version, trace id, parent id, flags. A trace id of zeros is none.
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.DOTALL)


def install(app: Flask) -> None:
    """Give every request of the application an id, which is in its answer and in its log lines."""

    @app.before_request
    def begin() -> None:
        g.request_id = request_id_of(request.headers.get(HEADER), request.headers.get("traceparent"))
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def answer(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        structlog.contextvars.unbind_contextvars("request_id")


def request_id() -> str:
    """Return the id of the present request."""
    if has_request_context() and "request_id" in g:
        return str(g.request_id)
    return uuid.uuid4().hex


def request_id_of(own: str | None, traceparent: str | None) -> str:
    """Return the caller's id: of its own header, or of its trace; a new one if neither can be used."""
    if own is not None and request_id_error(own) is None:
        return own
    trace = _TRACE_PARENT.fullmatch(traceparent or "")
    return trace[1] if trace else uuid.uuid4().hex
