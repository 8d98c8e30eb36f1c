"""Reading a request's JSON body: bounded in size and depth, and refused in the caller's terms."""

from __future__ import annotations

import json
from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from renderline.gateway.problem import Problem, listed, refusal
from renderline.validation.json_limits import MAX_DEPTH, json_errors


def read_json(request: Request, *, max_bytes: int, deeper: int = 0) -> Any:
    """Return the decoded JSON body of a request; no more than `max_bytes` of it are read.

    It may be nested as deep as a render request, and `deeper` levels more. Raises Problem: 415 for another type of
    content, 413 for too much of it, 400 for what is not JSON.
    """
    if not request.is_json:
        raise Problem(415, "The body must be JSON, sent with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "The body must not be compressed.")
    value = _decoded(_raw(request, max_bytes))
    if _deeper_than(value, MAX_DEPTH + deeper):
        raise Problem(400, f"The body is nested more than {MAX_DEPTH + deeper} levels deep.")
    return value


def read_object(request: Request, *, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in a request's body, empty for no body at all; raises Problem as `read_json` does."""
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    value = read_json(request, max_bytes=max_bytes)
    unsound = json_errors(value) if isinstance(value, dict) else {"request": ["must be an object"]}
    if unsound:
        raise refusal(422, listed(unsound))
    return dict(value)


def _raw(request: Request, max_bytes: int) -> bytes:
    # One byte more: a body without a length is cut there, not refused.
    request.max_content_length = max_bytes + 1
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > max_bytes:
        raise Problem(413, f"The body may have at most {max_bytes} bytes.")
    return raw


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Problem(400, "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        # Its message names a place and a character class, never what stands there.
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"The body is not JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise Problem(400, "The body is nested too deep.") from None
    except ValueError:
        raise Problem(400, "The body is not JSON: it has a number that is none, or is too long.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _deeper_than(value: Any, levels: int) -> bool:
    """Tell whether lists and objects are nested more than `levels` deep, level by level without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    while level and levels:
        levels -= 1
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return bool(level)
