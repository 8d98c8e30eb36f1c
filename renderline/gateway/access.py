"""Authentication and scopes: who calls, what the call needs, and how many calls a key may make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, Protocol

import structlog
from flask import Flask, current_app, g, request

log = structlog.get_logger(__name__)

SUBMIT: Final = "submit"
READ: Final = "read"
ADMIN: Final = "admin"
SCOPES: Final = (SUBMIT, READ, ADMIN)

_EXTENSION: Final = "renderline-access"


class AccessDenied(Exception):
    """The caller may not make this call: `status` is 401 without a valid key, 403 if the key lacks the scope."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Caller:
    """The caller: the name of the API key, and the key's id, which is not secret."""

    name: str
    key_id: str


class Authenticator(Protocol):
    """Checks the `Authorization` header of a call."""

    def check(self, header: str | None, scope: str) -> Caller:
        """Return the caller if the header's key has `scope`; raises AccessDenied."""


class RateLimit(Protocol):
    """Limits the calls of each key."""

    def count(self, key_id: str) -> None:
        """Count one call; raises if it is over the limit."""


class AllowAll:
    """Lets every caller do everything, and logs a warning once."""

    def __init__(self) -> None:
        log.warning("API keys are off: anyone who reaches the gateway may do everything (RENDERLINE_API_KEYS_REQUIRED)")

    def check(self, header: str | None, scope: str) -> Caller:
        """Let the caller in."""
        return Caller("everybody", "open")


@dataclass(frozen=True)
class AccessControl:
    """Runs before every route of the API: authentication, then the rate limit."""

    authenticator: Authenticator
    rate_limit: RateLimit

    def install(self, app: Flask) -> None:
        """Have the routes of the application ask this."""
        app.extensions[_EXTENSION] = self

    def admit(self, header: str | None, scope: str) -> Caller:
        """Return the caller; raises AccessDenied, or what the rate limit raises."""
        caller = self.authenticator.check(header, scope)
        self.rate_limit.count(caller.key_id)
        return caller


def requires(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a view only for callers with `scope`; the caller is in `flask.g.caller`.

    Place it right below `route`, so that the key is checked before the request is read.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def admitted(*args: Any, **kwargs: Any) -> Any:
            access: AccessControl = current_app.extensions[_EXTENSION]
            g.caller = access.admit(request.headers.get("Authorization"), scope)
            return view(*args, **kwargs)

        return admitted

    return decorate
