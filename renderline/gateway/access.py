"""Authentication and scopes: who calls, what the call needs, and how many calls a key may make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Final, Protocol

import structlog
from flask import Flask, current_app, g, request

from renderline.gateway.shares import CallShares
from renderline.tenants import Actor

log = structlog.get_logger(__name__)

SUBMIT: Final = "submit"
READ: Final = "read"
ADMIN: Final = "admin"
OPERATOR: Final = "operator"
METRICS: Final = "metrics"
SCOPES: Final = (SUBMIT, READ, ADMIN, OPERATOR, METRICS)
"""Each key has some of them. `admin` includes `submit` and `read`, within the key's tenant; `operator` is all of them,
for all tenants. `metrics` is for Prometheus: /metrics and nothing else, so it stands alone.
"""

_EXTENSION: Final = "renderline-access"


class AccessDenied(Exception):
    """The caller may not make this call: `status` is 401 without a valid key, 403 if the key lacks the scope."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Authenticator(Protocol):
    """Checks the `Authorization` header of a call, and the key id of a session that such a check has begun."""

    def check(self, header: str | None, scope: str) -> Actor:
        """Return the caller if the header's key has `scope`; raises AccessDenied."""

    def check_id(self, key_id: str | None, scope: str) -> Actor:
        """Return the caller if the key with this id is still valid and has `scope`; raises AccessDenied.

        Nothing proves here that the caller has the key: the id must come from a session.
        """


class RateLimit(Protocol):
    """Limits the calls of each key."""

    def count(self, key_id: str, calls: int = 1) -> None:
        """Count calls; raises if they are over the limit."""


class AllowAll:
    """Lets every caller do everything, and logs a warning once."""

    def __init__(self) -> None:
        log.warning("API keys are off: anyone who reaches the gateway may do everything (RENDERLINE_API_KEYS_REQUIRED)")

    def check(self, header: str | None, scope: str) -> Actor:
        """Let the caller in."""
        return Actor(door="http", tenant=None, name="everybody")

    def check_id(self, key_id: str | None, scope: str) -> Actor:
        """Let the caller in."""
        return self.check(None, scope)


@dataclass(frozen=True)
class AccessControl:
    """Runs before every route of the API: authentication, then the rate limit."""

    authenticator: Authenticator
    rate_limit: RateLimit
    shares: CallShares

    def install(self, app: Flask) -> None:
        """Have the routes of the application ask this."""
        app.extensions[_EXTENSION] = self

    @property
    def open(self) -> bool:
        """Return whether callers need no API key."""
        return isinstance(self.authenticator, AllowAll)

    @contextmanager
    def admitted(self, check: Callable[[str], Actor], scope: str) -> Iterator[Actor]:
        """Run a view for the caller that `check` returns for `scope`.

        Raises AccessDenied, and what the rate limit or the tenant's share raises.
        """
        actor = check(scope)
        g.actor, g.check = actor, check
        self.rate_limit.count(actor.key_id or "open")
        with structlog.contextvars.bound_contextvars(**actor.labels()), self.shares.hold(actor.tenant):
            yield actor


def access_control() -> AccessControl:
    """Return the access control of the application that serves the present request."""
    found: AccessControl = current_app.extensions[_EXTENSION]
    return found


def requires(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a view only for callers with `scope`; `caller` returns who it is.

    Place it right below `route`, so that the key is checked before the request is read.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def admitted(*args: Any, **kwargs: Any) -> Any:
            access, header = access_control(), request.headers.get("Authorization")
            with access.admitted(partial(access.authenticator.check, header), scope):
                return view(*args, **kwargs)

        return admitted

    return decorate


def caller() -> Actor:
    """Return the caller of the present request, in a view that `requires` a scope."""
    found: Actor = g.actor
    return found


def demand(scope: str) -> None:
    """Check that the caller of the present request has a further scope; raises AccessDenied."""
    check: Callable[[str], Actor] = g.check
    check(scope)


def count_more(calls: int) -> None:
    """Count further calls for the present request, because it does the work of many; raises what the limit raises."""
    access_control().rate_limit.count(caller().key_id or "open", calls)


def admission(scope: str) -> Callable[[], bool]:
    """Return a function that returns whether the present caller's key still has `scope`, for answers that take long."""
    check: Callable[[str], Actor] = g.check

    def admitted() -> bool:
        try:
            check(scope)
        except AccessDenied:
            return False
        return True

    return admitted
