"""Who looks at the board: the session of the request, its API key, and the token that each form needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Final

from flask import current_app, g, request

from renderline.gateway.access import AccessDenied, access_control
from renderline.gateway.board.blueprint import set_session
from renderline.gateway.board.sessions import COOKIE, Session, Sessions
from renderline.gateway.problem import Problem

SESSIONS: Final = "renderline-board-sessions"
FORM_TOKEN: Final = "form_token"
_CHANGING: Final = ("POST", "PUT", "PATCH", "DELETE")


def sessions() -> Sessions:
    """Return the sessions of the application that serves the present request."""
    found: Sessions = current_app.extensions[SESSIONS]
    return found


def session() -> Session:
    """Return the session of the present request; a browser without one gets one, which is not logged in."""
    if "session" not in g:
        found = sessions().read(request.cookies.get(COOKIE))
        if found is None:
            set_session(sessions(), sessions().begin())
        else:
            g.session = found
    present: Session = g.session
    return present


def form_token() -> str:
    """Return the token that the forms of the present page send back."""
    return sessions().form_token(session())


def check_form() -> None:
    """Raise a 403 problem unless the present request is a form of a page that this browser got from the board."""
    token = request.form.get(FORM_TOKEN, "")
    if not sessions().is_form_token(session(), token):
        raise Problem(
            403, "The form is not from this session, or the session has ended. Reload the page, and try again."
        )


def requires(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a view of the board only for a session whose API key has `scope`; with API keys off, for everybody.

    A request that changes something needs the form's token too. `renderline.gateway.access.caller` returns who it is.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def admitted(*args: Any, **kwargs: Any) -> Any:
            access, present = access_control(), session()
            with access.admitted(partial(access.authenticator.check_id, present.key_id), scope):
                if request.method in _CHANGING:
                    check_form()
                return view(*args, **kwargs)

        return admitted

    return decorate


def may(scope: str) -> bool:
    """Return whether the present session's API key has `scope`, so that pages offer only what will be done."""
    access = access_control()
    try:
        access.authenticator.check_id(session().key_id, scope)
    except AccessDenied:
        return False
    return True
