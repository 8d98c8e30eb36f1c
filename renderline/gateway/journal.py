"""A line in the log for every answer: which route, not which path, since a path may hold a signature."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger(__name__)

# Asked every few seconds by whoever watches the process.
_QUIET = ("health.healthz", "health.readyz")


def install(app: Flask) -> None:
    """Log the answers of `app`: method, route, status, milliseconds until the answer began, and who called."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else None
        say = log.debug if request.endpoint in _QUIET and response.status_code < 400 else log.info
        say(
            "answered",
            method=request.method,
            route=rule,
            render_id=(request.view_args or {}).get("render_id"),
            status=response.status_code,
            ms=round((time.perf_counter() - g.began) * 1000, 1) if "began" in g else None,
            caller=g.caller.name if "caller" in g else None,
        )
        return response
