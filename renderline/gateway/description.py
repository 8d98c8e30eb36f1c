"""The description of the API (OpenAPI 3.1): what each route takes, answers, and may fail with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from apispec.ext.marshmallow import MarshmallowPlugin
from flask_smorest import Blueprint
from marshmallow import Schema

from renderline.gateway import answers
from renderline.gateway.shapes import Converter, ref

PROBLEM: Final = "ProblemDocument"
_WHY: Final = {
    400: "The request cannot be read: not JSON, not UTF-8, nested too deep, a bad header.",
    401: "No valid API key.",
    403: "The API key lacks the scope.",
    404: "There is no such thing.",
    409: "It is not in a state for this, or the key was used with another request.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    422: "Something in the request is wrong; `errors` names every field.",
    429: "Too many calls with this key; `Retry-After` says when to come back.",
    503: "Redis cannot be reached, or all event streams are taken; `Retry-After` says when to come back.",
}
_ALWAYS: Final = (401, 403, 429, 503)


def described(
    summary: str,
    status: int,
    schema: Any,
    *,
    fails: Collection[int] = (),
    headers: Mapping[str, Any] | None = None,
    content_type: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Describe a route: what it does, what it answers, and with which errors it may answer instead."""
    responses = {
        str(code): {"description": _WHY[code], "content": {"application/problem+json": {"schema": ref(PROBLEM)}}}
        for code in sorted({*fails, *_ALWAYS})
    }
    if content_type:
        responses["204"] = {"description": "Nothing more will come."}

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        shown = Blueprint.response(_BLUEPRINT, status, schema, headers=headers, content_type=content_type)(view)
        return Blueprint.doc(summary=summary, responses=responses)(shown)

    return decorate


# `response` needs a blueprint to be called on, but nothing of any one in particular.
_BLUEPRINT: Final = Blueprint("description", __name__)


def json_body(schema: Any, *, required: bool = True) -> dict[str, Any]:
    """Return the description of a JSON body: a schema, or the name of one of the components."""
    shown = ref(schema) if isinstance(schema, str) else schema
    return {"required": required, "content": {"application/json": {"schema": shown}}}


def plugin() -> MarshmallowPlugin:
    """Return the plugin that turns our schemas into JSON Schema: those of answers by name, all others in place."""
    return _Plugin(schema_name_resolver=_name)


def _name(schema: type[Schema]) -> str:
    made = schema if isinstance(schema, type) else type(schema)
    return made.__name__ if made.__module__ == answers.__name__ else ""


class _Plugin(MarshmallowPlugin):
    Converter = Converter
