"""Describes in the OpenAPI document what hooks send: its section `webhooks`."""

from __future__ import annotations

from typing import Any, Final

from flask_smorest import Api
from marshmallow import fields, validate

from renderline.gateway.response_schemas import Render, Response
from renderline.hooks.kind import COMPLETED, FINAL_EVENTS

_ABOUT: Final = {
    COMPLETED: "A render has its video, or its draft with `export: false`.",
    "render.failed": "A render failed.",
    "render.expired": "A render was not finished at its deadline.",
    "render.canceled": "A render was canceled. Sent to hooks that ask for it.",
}
_HEADERS: Final = {
    "webhook-id": "The id of this event for this hook: the same on every retry and replay.",
    "webhook-timestamp": "The time of this delivery, in epoch seconds.",
    "webhook-signature": "Signatures as Standard Webhooks describes them, with a space between.",
}
_REQUEST_ID: Final = "The render's `request_id`, if it has one."
_ANSWERS: Final = {
    "2XX": "Delivered.",
    "410": "Dead-lettered at once: the endpoint takes no more deliveries.",
    "default": "Retried; of 429, 502, 503 and 504 the `Retry-After` counts.",
}


class HookEvent(Response):
    """What a hook sends."""

    type = fields.String(required=True, validate=validate.OneOf(FINAL_EVENTS))
    timestamp = fields.String(required=True, metadata={"description": "The time of this delivery, ISO 8601."})
    data = fields.Nested(Render, required=True)


def add_hook_events(api: Api) -> None:
    """Add the section `webhooks`, with an entry for each event."""
    name = HookEvent.__name__
    api.spec.components.schema(name, schema=HookEvent)
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }
    api.spec.options["webhooks"] = {event: {"post": _operation(event, body)} for event in FINAL_EVENTS}


def _operation(event: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = [_header(name, about, required=True) for name, about in _HEADERS.items()]
    return {
        "summary": _ABOUT[event],
        "parameters": [*headers, _header("X-Request-ID", _REQUEST_ID, required=False)],
        "requestBody": body,
        "responses": {status: {"description": about} for status, about in _ANSWERS.items()},
        # It is signed, and carries no API key.
        "security": [],
    }


def _header(name: str, about: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": about, "required": required, "schema": {"type": "string"}}
