"""The idempotency key of a request: as the header gives it, or as a batch does for each of its items."""

from __future__ import annotations

from typing import Any, Final

from flask import Request

from renderline.gateway.problem import Problem

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


def header_key(request: Request) -> str | None:
    """Return the key in the request's header, None without one; raises a 400 problem for one that cannot be a key.

    The double quotes that the IETF draft puts around a key are not part of it.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return None
    try:
        # HTTP servers hand headers on as Latin-1; what was sent is UTF-8.
        key = given.encode("latin-1").decode()
    except UnicodeError:
        raise Problem(400, f"The {HEADER} is not UTF-8.") from None
    if len(key) > 1 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    fault = key_fault(key)
    if fault:
        raise Problem(400, f"The {HEADER} {fault}.")
    return key


def key_fault(key: Any) -> str | None:
    """Return what is wrong with a key, None if nothing is."""
    if not isinstance(key, str):
        return "must be a string"
    if not 1 <= len(key) <= LONGEST:
        return f"must have 1 to {LONGEST} characters"
    return None if key.isprintable() else "must not have control characters"
