"""Who may do what at the HTTP door: the question the routes ask, its answer, and the gate that is open to all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, Protocol

import structlog
from flask import current_app, g, request

log = structlog.get_logger(__name__)

SUBMIT: Final = "submit"
READ: Final = "read"
ADMIN: Final = "admin"
SCOPES: Final = (SUBMIT, READ, ADMIN)

EXTENSION: Final = "renderline-admission"


class AccessDenied(Exception):
    """The caller may not do this: `status` 401 without a valid key, 403 with one that lacks the scope."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Caller:
    """Who calls: the name that people gave the key, and the key's id, which is no secret."""

    name: str
    key_id: str


class Gate(Protocol):
    """Decides who comes in."""

    def check(self, header: str | None, scope: str) -> Caller:
        """Return who sent this `Authorization` header if they may do what `scope` covers; raises AccessDenied."""


class Meter(Protocol):
    """Counts what a caller does."""

    def count(self, key_id: str) -> None:
        """Count one call; raises if that is one too many."""


class OpenGate:
    """Lets everybody do everything, and says so once in the log."""

    def __init__(self) -> None:
        log.warning("API keys are off: whoever reaches the gateway may do everything (RENDERLINE_API_KEYS_REQUIRED)")

    def check(self, header: str | None, scope: str) -> Caller:
        """Let the caller in."""
        return Caller("everybody", "open")


@dataclass(frozen=True)
class Admission:
    """What stands before every route of the API: the gate, then the meter."""

    gate: Gate
    meter: Meter

    def admit(self, header: str | None, scope: str) -> Caller:
        """Return the caller; raises AccessDenied, or what the meter raises."""
        caller = self.gate.check(header, scope)
        self.meter.count(caller.key_id)
        return caller


def needs(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a view run only for callers who have `scope`; who it is stands in `flask.g.caller`."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def admitted(*args: Any, **kwargs: Any) -> Any:
            admission: Admission = current_app.extensions[EXTENSION]
            g.caller = admission.admit(request.headers.get("Authorization"), scope)
            return view(*args, **kwargs)

        return admitted

    return decorate
