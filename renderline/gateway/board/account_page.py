"""The pages of the vendor accounts: what holds one back, its slots, its rate limit, its token's age."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request

from renderline.gateway.access import ADMIN, READ, caller
from renderline.gateway.board.access import may, requires
from renderline.gateway.board.blueprint import blp, page
from renderline.gateway.board.offers import DONE
from renderline.gateway.context import context
from renderline.ledger import Commands
from renderline.operations import NotPermitted

_NAMED: Final = 20


@blp.get("/accounts")
@requires(READ)
def accounts() -> Response:
    """List the vendor accounts that the session's API key may use."""
    app = context()
    commands = Commands(app.ledger)
    paused = commands.paused()
    rows = [{"name": name, "paused": name in paused} for name in sorted(app.acceptor.allowed(caller()))]
    return page("accounts.html", accounts=rows)


@blp.get("/accounts/<string:name>")
@requires(READ)
def account(name: str) -> Response:
    """Show the state of an account."""
    return account_page(name, said=DONE.get(request.args.get("done", "")))


def account_page(name: str, *, said: str | None = None, refused: str | None = None, status: int = 200) -> Response:
    """Return the page of an account; `said` is what an operation did, `refused` why one did nothing."""
    app = context()
    try:
        state = app.operations.account(name, actor=caller())
    except NotPermitted as error:
        # Others' work would show. What the key's owner may know is in the list of renders.
        return page("account.html", 403, name=name, state=None, refused=refused or str(error), said=None)
    holders = state["slots"]["renders"][:_NAMED]
    records = [record for record in app.ledger.records(holders) if record]
    return page(
        "account.html",
        status,
        name=name,
        state=state,
        holders=sorted(records, key=_entered),
        may_change=may(ADMIN),
        said=said,
        refused=refused,
    )


def _entered(record: dict[str, Any]) -> str:
    """Return when a render entered its state."""
    return str(record["times"].get(record["state"], ""))
