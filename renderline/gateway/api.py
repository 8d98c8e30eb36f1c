"""flask-smorest as this API uses it: strict request parsing, problem documents, uncached answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import flask_smorest
from flask import Flask, Response
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from renderline.gateway import error_handlers
from renderline.gateway.documented_examples import add_examples
from renderline.gateway.json_schema import plugin
from renderline.gateway.problem import MEDIA_TYPE
from renderline.gateway.request_parsing import RequestParser
from renderline.gateway.response_schemas import ProblemDocument

_DESCRIPTIONS: Final = {
    400: "The request cannot be read: not JSON, not UTF-8, nested too deep, or a bad header.",
    401: "No valid API key.",
    403: "The API key lacks the scope, or may not use the vendor account.",
    404: "Not found.",
    408: "The body ended early, or nothing more of it came.",
    409: "The render is in another state, or the idempotency key was used with another request.",
    411: "The length of the body is not announced.",
    413: "The body is too large, or has too many values.",
    415: "The body is not sent as the route takes it: as JSON, or a file as it is.",
    422: "Some fields are wrong; `errors` names each of them.",
    429: "Too many calls with this API key, or more than its tenant may have; `Retry-After` says when to call again.",
    503: "Redis is unavailable, all event streams are taken, or no worker has read the list yet; `Retry-After` says "
    "when to call again.",
}
_ANY_ROUTE: Final = (401, 403, 429, 503)

_SECURITY_SCHEME: Final = "apiKey"
_ABOUT: Final = (
    "Turns render requests into finished AI Studios videos. A request is accepted with 202 and rendered in the "
    "background; follow it by its record, by its events, or by a hook that it names. Every error is a problem document "
    "(RFC 9457) with the path of each wrong field. [The board](./) shows the same renders to people."
)
_CONFIG: Final = {
    "API_TITLE": "Renderline",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "OPENAPI_SWAGGER_UI_PATH": "docs",
    # Relative to the page, so that it works behind a proxy that adds a path.
    "OPENAPI_SWAGGER_UI_URL": "docs/assets/",
    # Without this the page would send the document to a validator on the Internet.
    "OPENAPI_SWAGGER_UI_CONFIG": {"validatorUrl": None, "deepLinking": True, "docExpansion": "list"},
}


class Blueprint(flask_smorest.Blueprint):
    """A blueprint of the API."""

    ARGUMENTS_PARSER = RequestParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.after_request(_no_store)

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Load what a schema describes and pass it to the view; the schema is made once, not for each request."""
        loaded: Callable[[Callable[..., Any]], Callable[..., Any]] = super().arguments(schema(), **options)
        return loaded

    def problems(self, *statuses: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Document the problems of a route, besides those of every route."""

        responses = {
            status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": ProblemDocument}}}
            for status in sorted({*statuses, *_ANY_ROUTE})
        }
        # One decorator: an `alt_response` for each status would wrap the view ten times.
        documented: Callable[[Callable[..., Any]], Callable[..., Any]] = self.doc(responses=responses)
        return documented


class Api(flask_smorest.Api):
    """The API with its OpenAPI document; errors are problem documents."""

    ERROR_SCHEMA = ProblemDocument
    # Every route documents its own errors.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer an error of Flask or Werkzeug."""
        return error_handlers.http_error(error)

    def _openapi_json(self) -> Response:
        """Send the OpenAPI document; it is made once, because anyone may ask for it as often as they like."""
        return Response(self._document, mimetype="application/json")

    @cached_property
    def _document(self) -> bytes:
        return json.dumps(add_examples(self.spec.to_dict()), indent=2).encode()


def create_api(app: Flask, *, guarded: bool) -> Api:
    """Add an API without routes to `app`; `guarded`: its calls need an API key."""
    app.config.update(_CONFIG)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    options: dict[str, Any] = {"info": {"description": _ABOUT}, "marshmallow_plugin": plugin()}
    if guarded:
        options["security"] = [{_SECURITY_SCHEME: []}]
    api = Api(app, spec_kwargs=options)
    if guarded:
        api.spec.components.security_scheme(_SECURITY_SCHEME, {"type": "http", "scheme": "bearer"})
    return api


def _no_store(response: Response) -> Response:
    if response.mimetype == "application/json":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
