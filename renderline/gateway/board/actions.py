"""The operations that a page's forms ask for: done, and the page shown again; or refused, and the page says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Response, redirect, request, url_for

from renderline.gateway import error_handlers
from renderline.gateway.access import ADMIN, caller
from renderline.gateway.board.access import requires
from renderline.gateway.board.account_page import account_page
from renderline.gateway.board.blueprint import blp
from renderline.gateway.board.offers import SCOPES
from renderline.gateway.board.render_page import render_page
from renderline.gateway.context import context
from renderline.gateway.problem import Problem
from renderline.gateway.request_schemas import Adoption, Failure
from renderline.ledger import QuotaExceeded
from renderline.operations import NotPermitted, OperationRefused, Operations, RenderNotFound

_Operation = Callable[[Operations, str], object]


def _with(schema: Any, field: str, default: str) -> str:
    """Return a field of the form, checked as the HTTP API checks it; raises a 422 problem."""
    given = request.form.get(field, "").strip() or default
    errors = schema().validate({field: given})
    if errors:
        raise Problem(422, " ".join(f"{field} {text}" for texts in errors.values() for text in texts))
    return given


_OPERATIONS: Final[Mapping[str, _Operation]] = {
    "cancel": lambda operations, one: operations.cancel(one, actor=caller()),
    "retry": lambda operations, one: operations.retry(one, actor=caller()),
    "hold": lambda operations, one: operations.hold(one, reason=request.form.get("reason", ""), actor=caller()),
    "release": lambda operations, one: operations.release(one, actor=caller()),
    "adopt": lambda operations, one: operations.adopt(one, _with(Adoption, "project_id", ""), actor=caller()),
    "resubmit": lambda operations, one: operations.resubmit(one, actor=caller()),
    "fail": lambda operations, one: operations.fail(
        one, message=_with(Failure, "message", "given up by an operator"), actor=caller()
    ),
}


def _answer(render_id: str, action: str, operation: _Operation) -> Response:
    try:
        operation(context().operations, render_id)
    except RenderNotFound:
        raise
    except (OperationRefused, QuotaExceeded, Problem) as error:
        answer = error_handlers.answer(error)
        problem: dict[str, Any] = answer.get_json()
        wrong = [str(one["message"]) for one in problem.get("errors", ())]
        return render_page(render_id, refused=" ".join(wrong) or problem["detail"], status=answer.status_code)
    # Shown by a GET of its own, so that a reload repeats nothing.
    return redirect(url_for("board.render", render_id=render_id, done=action), 303)  # type: ignore[return-value]


def _route(action: str, operation: _Operation) -> None:
    @requires(SCOPES[action])
    def act(render_id: str) -> Response:
        return _answer(render_id, action, operation)

    blp.add_url_rule(f"/board/renders/<render_id:render_id>/{action}", f"{action}_render", act, methods=["POST"])


for _name, _operation in _OPERATIONS.items():
    _route(_name, _operation)


@blp.post("/board/renders/<render_id:render_id>/hooks/<int(max=99):index>/replay")
@requires(SCOPES["replay"])
def replay_hook(render_id: str, index: int) -> Response:
    """Deliver a dead-lettered hook again."""
    return _answer(render_id, "replay", lambda operations, one: operations.replay(one, index, actor=caller()))


@blp.post("/board/renders/<render_id:render_id>/hooks/<int(max=99):index>/discard")
@requires(SCOPES["discard"])
def discard_hook(render_id: str, index: int) -> Response:
    """Take a hook off the dead letters."""
    return _answer(render_id, "discard", lambda operations, one: operations.discard(one, index, actor=caller()))


@blp.post("/board/accounts/<string:name>/<any(pause, resume):action>")
@requires(ADMIN)
def change_account(name: str, action: str) -> Response:
    """Pause an account, or let it go on."""
    operations = context().operations
    try:
        (operations.pause if action == "pause" else operations.resume)(name, actor=caller())
    except NotPermitted as error:
        return account_page(name, refused=str(error), status=403)
    return redirect(url_for("board.account", name=name, done=action), 303)  # type: ignore[return-value]
