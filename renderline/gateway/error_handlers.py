"""The answer to each exception that a route may raise: always a problem document."""

from __future__ import annotations

import math
from typing import Any, Final

import structlog
from flask import Flask, Response
from redis import RedisError, ResponseError
from werkzeug.exceptions import HTTPException

from renderline.catalogue.browser import ListMissing, ProjectUnknown
from renderline.gateway.access import AccessDenied
from renderline.gateway.problem import Problem, field_errors, problem_response, wrong_fields
from renderline.ledger import KeyConflict, QuotaExceeded
from renderline.operations import (
    AccountNotAllowed,
    AccountNotFound,
    HookNotDead,
    HookNotFound,
    NewerRecord,
    NotPermitted,
    ProjectNotAllowed,
    RenderNotFound,
    WrongState,
)
from renderline.requests import RequestRefused

log = structlog.get_logger(__name__)

RETRY_AFTER: Final = 5
"""Seconds. Redis has restarted by then; earlier retries only add load."""


def install(app: Flask) -> None:
    """Answer every exception in `app` with a problem document; an unexpected one is logged, not shown."""
    for kind, handler in _HANDLERS.items():
        app.register_error_handler(kind, handler)


def answer(error: Exception) -> Response:
    """Answer an exception with the problem document of its kind."""
    for kind in type(error).__mro__:
        if kind in _HANDLERS:
            found: Response = _HANDLERS[kind](error)
            return found
    return _unexpected(error)


def http_error(error: HTTPException) -> Response:
    """Answer an error of Flask or Werkzeug, such as an unknown path."""
    kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return problem_response(error.code or 500, error.description or "", headers=kept)


def problem(error: Problem) -> Response:
    """Answer a problem that a route raised."""
    members: dict[str, Any] = {"errors": error.errors} if error.errors else {}
    return problem_response(error.status, error.detail, headers=error.headers, **members)


def _refused(error: RequestRefused) -> Response:
    return problem(wrong_fields(field_errors(error.errors)))


def _key_conflict(error: KeyConflict) -> Response:
    return problem_response(409, "This idempotency key was used before with another request.")


def _over_quota(error: QuotaExceeded) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    return problem_response(429, f"{error}.", headers=headers)


def _denied(error: AccessDenied) -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="renderline"'} if error.status == 401 else {}
    return problem_response(error.status, error.message, headers=headers)


def _render_not_found(error: RenderNotFound) -> Response:
    return problem_response(404, "Render not found.")


def _hook_not_found(error: HookNotFound) -> Response:
    return problem_response(404, f"Hook not found. {error}")


def _conflict(error: WrongState | HookNotDead | NewerRecord) -> Response:
    return problem_response(409, str(error))


def _account_not_found(error: AccountNotFound) -> Response:
    return problem_response(404, "Account not found.")


def _not_permitted(error: NotPermitted | AccountNotAllowed) -> Response:
    return problem_response(403, str(error))


def _project_not_allowed(error: ProjectNotAllowed) -> Response:
    return problem(wrong_fields([{"path": "project_id", "message": str(error)}]))


def _list_missing(error: ListMissing) -> Response:
    return problem_response(503, str(error), headers={"Retry-After": str(error.retry_after)})


def _project_unknown(error: ProjectUnknown) -> Response:
    return problem_response(404, "Project not found.")


def _redis_unavailable(error: RedisError) -> Response:
    if isinstance(error, ResponseError):
        # It answered: memory is short, its user may not do this, or a key holds something else. What an unknown
        # command was called with stays out of the log.
        log.error("Redis refused a command", why=str(error).partition(", with args")[0])
        detail = "Redis refused a command; the gateway's log says why. With an idempotency key a repeated call is safe."
    else:
        log.warning("Redis is unavailable", error=type(error).__name__)
        detail = "Redis is unavailable. Retry; with an idempotency key a repeated call is always safe."
    return problem_response(503, detail, headers={"Retry-After": str(RETRY_AFTER)})


def _unexpected(error: Exception) -> Response:
    log.error("request failed", exc_info=error)
    return problem_response(500, "Internal error of the gateway. Its log shows why.")


_HANDLERS: Final[dict[type[Exception], Any]] = {
    Problem: problem,
    RequestRefused: _refused,
    KeyConflict: _key_conflict,
    QuotaExceeded: _over_quota,
    AccessDenied: _denied,
    RenderNotFound: _render_not_found,
    WrongState: _conflict,
    NewerRecord: _conflict,
    HookNotFound: _hook_not_found,
    HookNotDead: _conflict,
    AccountNotFound: _account_not_found,
    NotPermitted: _not_permitted,
    AccountNotAllowed: _not_permitted,
    ProjectNotAllowed: _project_not_allowed,
    ListMissing: _list_missing,
    ProjectUnknown: _project_unknown,
    RedisError: _redis_unavailable,
    HTTPException: http_error,
    Exception: _unexpected,
}
