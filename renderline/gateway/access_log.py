"""The access log: one line for each answer. It shows the route, since a path may contain a signature."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger(__name__)

# Monitoring asks for these every few seconds.
_PROBES = ("health.healthz", "health.readyz", "metrics.metrics")


def install(app: Flask) -> None:
    """Log every answer of `app`: method, route, status, milliseconds until the answer began, and the caller."""

    @app.before_request
    def start_timer() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def log_answer(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else None
        write = log.debug if request.endpoint in _PROBES and response.status_code < 400 else log.info
        write(
            "answered",
            method=request.method,
            route=rule,
            render_id=(request.view_args or {}).get("render_id"),
            status=response.status_code,
            ms=round((time.perf_counter() - g.started) * 1000, 1) if "started" in g else None,
            caller=g.actor.name if "actor" in g else None,
            **(g.actor.labels() if "actor" in g else {}),
        )
        return response
