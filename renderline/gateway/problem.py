"""Errors of the HTTP door as problem documents (RFC 9457)."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

_log = logging.getLogger(__name__)


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """Return a problem document: its title is the status' own phrase, `members` are added as they are."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
    return Response(json.dumps(body), status=status, headers=headers, content_type="application/problem+json")


def install(app: Flask) -> None:
    """Make every error answer of `app` a problem document; what went wrong inside is logged, not shown."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
        return problem(error.code or 500, error.description or "", headers=kept)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        _log.error("gateway.failed", exc_info=error)
        return problem(500, "The gateway failed on this request; its log says why.")
