"""What the board shows instead of a page: the login, or a page with the error that the API would answer."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, redirect, request, url_for
from werkzeug.exceptions import HTTPException

from renderline.gateway import error_handlers
from renderline.gateway.access import AccessDenied
from renderline.gateway.board.blueprint import blp, page

FRAGMENT: Final = "X-Board-Fragment"
"""The header with which the board's scripts ask for a part of a page. They are answered with a status, not a login."""


@blp.errorhandler(Exception)
def failed(error: Exception) -> Response:
    """Answer whatever a view raised."""
    if isinstance(error, AccessDenied) and error.status == 401 and not _is_fragment():
        return _login()
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return Response(error.get_body(), error.code, error.get_headers())
    answer = error_handlers.answer(error)
    problem: dict[str, Any] = answer.get_json()
    shown = page("error.html", answer.status_code, title=problem["title"], detail=problem["detail"])
    for name in ("Retry-After",):
        if name in answer.headers:
            shown.headers[name] = answer.headers[name]
    return shown


def _login() -> Response:
    if request.method != "GET":
        return redirect(url_for("board.login"), 303)  # type: ignore[return-value]
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # A browser that follows a link from another site does not send the cookie. It does when our page comes again.
        return page("again.html")
    return redirect(url_for("board.login", next=request.full_path.rstrip("?")), 303)  # type: ignore[return-value]


def _is_fragment() -> bool:
    return FRAGMENT in request.headers or request.accept_mimetypes.best == "text/event-stream"
