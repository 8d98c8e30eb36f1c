"""The routes for operators: dead-lettered hooks, and vendor accounts to pause."""

from __future__ import annotations

from typing import Any, Final

from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import ADMIN, READ, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import accepted, context
from renderline.gateway.request_schemas import DeadLetterQuery
from renderline.ledger import Commands

blp = Blueprint("operators", __name__, url_prefix="/v1", description="For operators")

_HOOK: Final = "/renders/<render_id:render_id>/hooks/<int(max=99):index>"


@blp.route("/dead-letters", methods=["GET"])
@requires(READ)
@blp.arguments(DeadLetterQuery, location="query")
@blp.response(200, schemas.Letters)
@blp.problems(422)
def dead_letters(query: dict[str, Any]) -> Any:
    """List the dead-lettered hooks, newest first."""
    return {"dead_letters": context().queries.dead_letters(limit=query["limit"], tenant=caller().tenant)}


@blp.route(f"{_HOOK}/replay", methods=["POST"])
@requires(ADMIN)
@blp.response(202, schemas.Render)
@blp.problems(404, 409)
def replay(render_id: str, index: int) -> Any:
    """Replay a dead-lettered hook. It keeps its webhook id, so that an endpoint can recognise a repeat."""
    return accepted(context().operations.replay(render_id, index, actor=caller()))


@blp.route(f"{_HOOK}/discard", methods=["POST"])
@requires(ADMIN)
@blp.response(200, schemas.Render)
@blp.problems(404, 409)
def discard(render_id: str, index: int) -> Any:
    """Discard a dead-lettered hook: it leaves the list, and is not delivered."""
    return context().operations.discard(render_id, index, actor=caller())


@blp.route("/accounts", methods=["GET"])
@requires(READ)
@blp.response(200, schemas.Accounts)
@blp.problems()
def accounts() -> Any:
    """List the vendor accounts that the API key may use."""
    app = context()
    paused = Commands(app.ledger).paused()
    return {"accounts": [{"name": name, "paused": name in paused} for name in sorted(app.acceptor.allowed(caller()))]}


@blp.route("/accounts/<string:name>", methods=["GET"])
@requires(READ)
@blp.response(200, schemas.AccountState)
@blp.problems(404)
def account(name: str) -> Any:
    """Show the state of an account: what holds it back, its slots, its rate limit, the times of its token."""
    return context().operations.account(name, actor=caller())


@blp.route("/accounts/<string:name>/pause", methods=["POST"])
@requires(ADMIN)
@blp.response(200, schemas.Account)
@blp.problems(404)
def pause(name: str) -> Any:
    """Pause an account: nothing more is submitted for it.

    Renders at the vendor are still polled. Requests are still accepted, and wait.
    """
    context().operations.pause(name, actor=caller())
    return {"name": name, "paused": True}


@blp.route("/accounts/<string:name>/resume", methods=["POST"])
@requires(ADMIN)
@blp.response(200, schemas.Account)
@blp.problems(404)
def resume(name: str) -> Any:
    """Resume an account: its renders are submitted again."""
    context().operations.resume(name, actor=caller())
    return {"name": name, "paused": False}
