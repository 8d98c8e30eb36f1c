"""The scripts and styles of the interactive API page at /docs, and its content security policy."""

from __future__ import annotations

from importlib import resources
from typing import Final

from flask import Blueprint, Flask, Response, send_from_directory

blp = Blueprint("documentation", __name__)

_FOLDER: Final = str(resources.files("flask_swagger_ui") / "dist")
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
    )
)


def install(app: Flask) -> None:
    """Add the route of the page's assets."""
    app.register_blueprint(blp)


@blp.get("/docs/assets/<path:name>")
def asset(name: str) -> Response:
    """Send a script or style of the installed package."""
    return send_from_directory(_FOLDER, name, max_age=3600)


@blp.after_app_request
def _confine(response: Response) -> Response:
    """Keep the gateway's pages from loading anything from another host."""
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
