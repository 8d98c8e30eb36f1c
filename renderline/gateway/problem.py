"""Errors of the HTTP door as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response
from redis import RedisError
from werkzeug.exceptions import HTTPException

from renderline.gateway.access import AccessDenied
from renderline.ledger import KeyConflict
from renderline.requests import RequestRefused

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
# A restarting Redis is back within seconds; asking again sooner only adds load.
RETRY_AFTER = 5

# Python's names for these differ from those that HTTP has now.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Problem(Exception):
    """An answer with an error status; `errors` are what is wrong, each with its `path` and `message`."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers = list(errors), dict(headers or {})


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """Return a problem document: its title is the status' own phrase, `members` are added as they are."""
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return Response(json.dumps(body), status=status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def listed(errors: Mapping[str, Iterable[str]], *, below: str = "") -> list[dict[str, str]]:
    """Return messages by path as the list that a problem document has; `below` is put in front of each path."""
    return [
        {"path": f"{below}.{path}" if below else path, "message": message}
        for path, said in errors.items()
        for message in said
    ]


def refusal(status: int, errors: list[dict[str, str]]) -> Problem:
    """Return the problem of a request with wrong fields."""
    fields = "1 field is wrong." if len(errors) == 1 else f"{len(errors)} fields are wrong."
    return Problem(status, fields, errors=errors)


def install(app: Flask) -> None:
    """Make every error answer of `app` a problem document; what went wrong inside is logged, not shown."""

    @app.errorhandler(Problem)
    def told(error: Problem) -> Response:
        members: dict[str, Any] = {"errors": error.errors} if error.errors else {}
        return problem(error.status, error.detail, headers=error.headers, **members)

    @app.errorhandler(RequestRefused)
    def wrong(error: RequestRefused) -> Response:
        return told(refusal(422, listed(error.errors)))

    @app.errorhandler(KeyConflict)
    def conflicting(error: KeyConflict) -> Response:
        return problem(409, "This idempotency key was used before with another request.")

    @app.errorhandler(AccessDenied)
    def denied(error: AccessDenied) -> Response:
        headers = {"WWW-Authenticate": 'Bearer realm="renderline"'} if error.status == 401 else {}
        return problem(error.status, error.message, headers=headers)

    @app.errorhandler(RedisError)
    def unavailable(error: RedisError) -> Response:
        log.warning("Redis cannot be used", why=type(error).__name__)
        detail = "The ledger cannot be reached now. Try again; with an idempotency key that is always safe."
        return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER)})

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
        return problem(error.code or 500, error.description or "", headers=kept)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        log.error("the gateway failed on a request", exc_info=error)
        return problem(500, "The gateway failed on this request; its log says why.")
