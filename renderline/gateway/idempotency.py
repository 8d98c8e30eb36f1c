"""The header `Idempotency-Key`."""

from __future__ import annotations

from typing import Final

from flask import Request

from renderline.contract import key_error
from renderline.gateway.problem import Problem

HEADER: Final = "Idempotency-Key"


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
    error = key_error(key)
    if error:
        raise Problem(400, f"The {HEADER} {error}.")
    return key
