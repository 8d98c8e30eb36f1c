"""Login with an API key, and logout."""

from __future__ import annotations

import math
from typing import Final, Protocol

import structlog
from flask import Response, current_app, redirect, request, url_for

from renderline.gateway.access import READ, AccessDenied, access_control
from renderline.gateway.board.access import check_form, session, sessions
from renderline.gateway.board.blueprint import blp, page, set_session

log = structlog.get_logger(__name__)

THROTTLE: Final = "renderline-board-throttle"
_LONGEST: Final = 200


class Throttle(Protocol):
    """Says when a login is refused unseen: after too many wrong ones."""

    def address(self, remote: str, forwarded: str) -> str:
        """Return whose address counts, of the connection's other end and the header X-Forwarded-For."""

    def wait(self, address: str, user: str) -> float:
        """Return for how many seconds a login of `user` from an address is refused; 0: it is not."""

    def failed(self, address: str, user: str) -> None:
        """Count a wrong login."""


@blp.get("/login")
def login() -> Response:
    """Show the form for the API key."""
    if access_control().open or _is_valid(session().key_id):
        return _go(_target())
    return page("login.html", target=_target())


@blp.post("/login")
def log_in() -> Response:
    """Begin a session, if the API key is valid and may read renders."""
    check_form()
    access, throttle = access_control(), _throttle()
    if access.open:
        return _go(_target())
    key, address = request.form.get("key", "").strip()[:_LONGEST], request.remote_addr or ""
    if throttle is not None:
        address = throttle.address(address, request.headers.get("X-Forwarded-For", ""))
    user = key.split("_")[1] if key.count("_") > 1 else ""
    if throttle is not None and (wait := throttle.wait(address, user)):
        shown = page("login.html", 429, target=_target(), error=f"Too many wrong keys. Wait {math.ceil(wait)} s.")
        shown.headers["Retry-After"] = str(math.ceil(wait))
        return shown
    try:
        actor = access.authenticator.check(f"Bearer {key}", READ)
    except AccessDenied as denied:
        if throttle is not None and denied.status == 401:
            throttle.failed(address, user)
        log.warning("login to the board refused", status=denied.status, address=address)
        error = denied.message if denied.status == 403 else "The API key is not valid."
        return page("login.html", denied.status, target=_target(), error=error)
    # A new name for the session: one that somebody else put into this browser is worth nothing.
    set_session(sessions(), sessions().begin(actor.key_id))
    log.info("login to the board", **actor.labels())
    return _go(_target())


@blp.post("/logout")
def logout() -> Response:
    """End the session in this browser."""
    check_form()
    set_session(sessions(), sessions().begin())
    return redirect(url_for("board.login"), 303)  # type: ignore[return-value]


def _is_valid(key_id: str | None) -> bool:
    try:
        access_control().authenticator.check_id(key_id, READ)
    except AccessDenied:
        return False
    return True


def _target() -> str:
    """Return the path to show after the login: one of this gateway, whatever the link says."""
    asked = request.values.get("next", "")
    # Browsers read a backslash as a slash, and leave out line breaks.
    local = asked.isprintable() and asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return asked if local else url_for("board.renders")


def _go(target: str) -> Response:
    return redirect(target, 303)  # type: ignore[return-value]


def _throttle() -> Throttle | None:
    found: Throttle | None = current_app.extensions.get(THROTTLE)
    return found
