"""The blueprint of the board's pages, and the headers of each: nothing from elsewhere, nothing inline or cached."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request

from renderline.gateway.board.sessions import COOKIE, LIFETIME, Session, Sessions

blp = Blueprint("board", __name__, template_folder="templates")

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser would send its forms with the origin `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page made from a template of this package."""
    return Response(render_template(template, **values), status=status, mimetype="text/html")


def set_session(sessions: Sessions, session: Session) -> None:
    """Have the answer to the present request set the cookie of a session."""
    g.session, g.session_cookie = session, sessions.text(session)


@blp.after_request
def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if cookie := g.get("session_cookie"):
        # A proxy that ends TLS says so. Who lies about it gets a cookie that his own browser does not send back.
        secure = request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
        response.set_cookie(COOKIE, cookie, max_age=LIFETIME, httponly=True, secure=secure, samesite="Strict", path="/")
    return response
