"""Adds the board to the gateway's application."""

from __future__ import annotations

from flask import Flask

from renderline.explanation import Explainer
from renderline.gateway.access import ADMIN, SUBMIT, access_control
from renderline.gateway.board import account_page, actions, bulk, errors, listing, live, login, render_page, video
from renderline.gateway.board.access import FORM_TOKEN, SESSIONS, form_token, may, session
from renderline.gateway.board.assets import asset_url
from renderline.gateway.board.blueprint import blp
from renderline.gateway.board.context import BoardContext
from renderline.gateway.board.feed import Feed
from renderline.gateway.board.formats import age, duration, minute, short, shown
from renderline.gateway.board.kept import Kept
from renderline.gateway.board.login import THROTTLE, Throttle
from renderline.gateway.board.overview import Overviews
from renderline.gateway.board.sessions import Sessions
from renderline.ledger import Ledger, Queries
from renderline.search import Search

PAGES = (account_page, actions, bulk, errors, listing, live, login, render_page, video)
"""The modules whose routes belong to the board."""

_ROWS_KEPT = 1.0
_OVERVIEW_KEPT = 3.0


def install(
    app: Flask,
    ledger: Ledger,
    queries: Queries,
    explainer: Explainer,
    sessions: Sessions,
    throttle: Throttle | None,
) -> None:
    """Add the routes of the board; `throttle` slows down guesses of API keys."""
    app.extensions[SESSIONS], app.extensions[THROTTLE] = sessions, throttle
    BoardContext(
        search=Search(ledger, queries),
        explainer=explainer,
        overviews=Overviews(ledger, queries),
        feed=Feed(queries),
        kept_overviews=Kept(_OVERVIEW_KEPT),
        kept_rows=Kept(_ROWS_KEPT),
    ).install(app)
    # Foreign text is cleaned wherever a template shows it, and escaped after that.
    app.jinja_options = {**app.jinja_options, "finalize": shown, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.filters.update(age=age, duration=duration, minute=minute, short=short)
    app.register_blueprint(blp)


@blp.context_processor
def _frame() -> dict[str, object]:
    return {
        "asset": asset_url,
        "form_token": form_token,
        "form_token_name": FORM_TOKEN,
        "may": may,
        "SUBMIT": SUBMIT,
        "ADMIN": ADMIN,
        "login_needed": not access_control().open,
        "logged_in": lambda: session().key_id is not None,
    }
