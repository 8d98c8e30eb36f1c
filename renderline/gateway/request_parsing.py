"""Request parsing: JSON bodies of bounded size and depth, query strings and headers, with errors by path."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from renderline.gateway.context import context
from renderline.gateway.problem import Problem, field_errors, wrong_fields
from renderline.validation.errors import flattened
from renderline.validation.json_limits import BYTES_PER_VALUE, MAX_DEPTH, has_more_values, json_errors


class StrictObject(Schema):
    """A JSON object without unknown fields."""

    error_messages = {"unknown": "unknown field", "type": "must be an object"}  # noqa: RUF012

    class Meta:
        """Unknown fields are refused."""

        unknown = RAISE


class JsonBody(StrictObject):
    """A JSON object in a request's body, with options for the parser below and the OpenAPI document."""

    component = False
    """The OpenAPI document has it as a component."""
    size_factor = 1
    """How many times as large as one render request the body may be."""
    values_factor = 1
    """How many times as many values as one render request the body may have."""
    extra_depth = 0
    """How many levels deeper than one render request the body may be nested."""
    checked_later = False
    """The acceptor checks the render requests in it; the parser only reads the JSON."""


class RequestParser(FlaskParser):
    """Loads what `Blueprint.arguments` asks for; every error is a problem."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the decoded JSON body."""
        assert isinstance(schema, JsonBody)
        if not schema.checked_later and not req.content_length and "Transfer-Encoding" not in req.headers:
            # No body is the same as an empty object: the schema says what is missing.
            return {}
        one = context().max_bytes
        body = read_json(
            req,
            max_bytes=schema.size_factor * one,
            extra_depth=schema.extra_depth,
            most_values=schema.values_factor * one // BYTES_PER_VALUE,
        )
        return body if schema.checked_later else _checked_object(body)

    def load_querystring(self, req: Request, schema: Schema) -> MultiDict[str, str]:
        """Return the query parameters: marshmallow reads the first value of each."""
        return req.args

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Raise the problem of a request with wrong fields; 400 is for a header that cannot be read."""
        assert isinstance(error.messages, dict)
        (messages,) = error.messages.values()
        errors = flattened(messages)
        if error_status_code == 400:
            detail = " ".join(f"The {name} {message}." for name, said in errors.items() for message in said)
            raise Problem(400, detail) from None
        raise wrong_fields(field_errors(errors)) from None


def read_json(request: Request, *, max_bytes: int, most_values: int, extra_depth: int = 0) -> Any:
    """Return the decoded JSON body of a request; reads at most `max_bytes` of it.

    The body may have `most_values` values, counted before it is parsed. It may be nested as deep as a render request,
    and `extra_depth` levels more. Raises Problem: 415 for another content type, 413 for a body that is too large, 400
    for a body that is not JSON.
    """
    if not request.is_json:
        raise Problem(415, "The body must be JSON, sent with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "The body must not be compressed.")
    raw = _read(request, max_bytes)
    if has_more_values(raw, most_values):
        raise Problem(413, f"The body may have at most {most_values} values: lists, objects, texts and numbers.")
    value = _decode(raw)
    if _deeper_than(value, MAX_DEPTH + extra_depth):
        raise Problem(400, f"The body is nested more than {MAX_DEPTH + extra_depth} levels deep.")
    return value


def _checked_object(value: Any) -> dict[str, Any]:
    """Return `value` if it is a JSON object that Redis can hold; raises the 422 problem that names the wrong parts."""
    errors = json_errors(value) if isinstance(value, dict) else {"request": ["must be an object"]}
    if errors:
        raise wrong_fields(field_errors(errors))
    return dict(value)


def _read(request: Request, max_bytes: int) -> bytes:
    # One byte more: if a body has no length, Werkzeug cuts it at the limit without an error.
    request.max_content_length = max_bytes + 1
    raw = None
    # The server has not read a body that announces too large a size.
    if (request.content_length or 0) <= max_bytes:
        with contextlib.suppress(RequestEntityTooLarge):
            raw = request.get_data(cache=False)
    if raw is None or len(raw) > max_bytes:
        raise Problem(413, f"The body may have at most {max_bytes} bytes.")
    return raw


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Problem(400, "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        # The decoder's message names a position and what it expected, never the text at that position.
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"The body is not JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise Problem(400, "The body is nested too deep.") from None
    except ValueError:
        raise Problem(400, "The body is not JSON: it has NaN, Infinity or a number with too many digits.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _deeper_than(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested more than `levels` deep, without recursion."""
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
