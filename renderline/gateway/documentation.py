"""The pages about the API: its description at /openapi.json, and the interactive one at /docs, with our own assets."""

from __future__ import annotations

from importlib import resources
from typing import Final

from flask import Blueprint, Response, send_from_directory

SCHEME: Final = "apiKey"
ABOUT: Final = (
    "Turns render requests into finished AI Studios videos. A request is accepted with 202 and rendered in the "
    "background; follow it by its record, by its events, or by a hook that it names. Every error is a problem document "
    "(RFC 9457) with the path of each wrong field."
)
CONFIG: Final = {
    "API_TITLE": "Renderline",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "OPENAPI_SWAGGER_UI_PATH": "docs",
    # Relative to the page, so that it holds behind a proxy that adds a path.
    "OPENAPI_SWAGGER_UI_URL": "docs/assets/",
    # Without this the page would send the description to a validator of its makers.
    "OPENAPI_SWAGGER_UI_CONFIG": {"validatorUrl": None, "deepLinking": True, "docExpansion": "list"},
}

_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
    )
)


def assets() -> Blueprint:
    """Return the route of the page's scripts and styles, which a package brings along."""
    blueprint = Blueprint("documentation", __name__)
    folder = str(resources.files("flask_swagger_ui") / "dist")

    @blueprint.get("/docs/assets/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(folder, name, max_age=3600)

    @blueprint.after_app_request
    def confine(response: Response) -> Response:
        """Let a page that is shown here load nothing from another host."""
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return blueprint
