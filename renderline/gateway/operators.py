"""The routes for those who run the place: hooks that were given up, unconfirmed renders, accounts to pause."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError

from renderline.gateway import answers
from renderline.gateway.access import ADMIN, READ, needs
from renderline.gateway.bodies import read_object
from renderline.gateway.description import described, json_body
from renderline.gateway.desk import Desk, accepted, answer
from renderline.gateway.problem import Problem, listed, refusal
from renderline.gateway.queries import LetterQuery, load
from renderline.validation.errors import flattened
from renderline.validation.fields import Identifier, Text
from renderline.validation.validators import ONE_LINE, MaxLength

_HOOK = "/renders/<render_id:render_id>/hooks/<int(max=99):index>"


class Adoption(Schema):
    """Which vendor project a render is."""

    project_id = Identifier(required=True)


class Failure(Schema):
    """Why a render is given up as failed."""

    message = Text(load_default="given up by an operator", validate=[MaxLength(500), ONE_LINE])


def routes(desk: Desk) -> Blueprint:
    """Return the routes about hooks and accounts."""
    blueprint = Blueprint("operators", __name__, url_prefix="/v1", description="For those who run it")

    @blueprint.route("/dead-letters", methods=["GET"])
    @described("List the hooks that were given up, newest first", 200, answers.Letters, fails=(422,))
    @blueprint.doc(parameters=[{"in": "query", "schema": LetterQuery}])
    @needs(READ)
    def dead_letters() -> Response:
        limit = load(LetterQuery(), request)["limit"]
        return answer({"dead_letters": desk.listing.dead_letters(limit=limit)})

    @blueprint.route(f"{_HOOK}/replay", methods=["POST"])
    @described("Have a hook that was given up tried again", 202, answers.Render, fails=(404, 409))
    @needs(ADMIN)
    def replay(render_id: str, index: int) -> Response:
        """It keeps its webhook id, so that a receiver which had it after all can tell."""
        if not desk.operations.replay(render_id, index):
            raise _not_dead(desk, render_id, index)
        desk.announce(desk.dispatcher.hooks, render_id)
        return accepted(desk.record(render_id))

    @blueprint.route(f"{_HOOK}/discard", methods=["POST"])
    @described("Take a hook off the list of those given up", 200, answers.Render, fails=(404, 409))
    @needs(ADMIN)
    def discard(render_id: str, index: int) -> Response:
        if not desk.operations.discard(render_id, index):
            raise _not_dead(desk, render_id, index)
        return answer(desk.record(render_id))

    @blueprint.route("/accounts", methods=["GET"])
    @described("List the vendor accounts", 200, answers.Accounts)
    @needs(READ)
    def accounts() -> Response:
        paused = desk.operations.paused()
        names = sorted(desk.acceptor.accounts)
        return answer({"accounts": [{"name": name, "paused": name in paused} for name in names]})

    @blueprint.route("/accounts/<string:name>/pause", methods=["POST"])
    @described("Submit nothing more for an account", 200, answers.Account, fails=(404,))
    @needs(ADMIN)
    def pause(name: str) -> Response:
        """What runs at the vendor is followed on; requests are still accepted, and wait."""
        desk.operations.pause(_known(desk, name))
        return answer({"name": name, "paused": True})

    @blueprint.route("/accounts/<string:name>/resume", methods=["POST"])
    @described("Submit for an account again", 200, answers.Account, fails=(404,))
    @needs(ADMIN)
    def resume(name: str) -> Response:
        desk.operations.resume(_known(desk, name))
        return answer({"name": name, "paused": False})

    return blueprint


def unconfirmed_routes(desk: Desk) -> Blueprint:
    """Return the routes that settle a render of which nobody saw whether the vendor started it."""
    blueprint = Blueprint(
        "unconfirmed", __name__, url_prefix="/v1/renders/<render_id:render_id>", description="Unconfirmed renders"
    )

    @blueprint.route("/adopt", methods=["POST"])
    @described("Say which vendor project it is", 202, answers.Render, fails=(400, 404, 409, 413, 415, 422))
    @blueprint.doc(requestBody=json_body(Adoption))
    @needs(ADMIN)
    def adopt(render_id: str) -> Response:
        project_id = _body(Adoption(), desk)["project_id"]
        done, wake = desk.operations.adopt(render_id, project_id)
        if not done:
            raise _not_unconfirmed(desk, render_id)
        if wake:
            desk.announce(desk.dispatcher.poll, wake)
        return accepted(desk.record(render_id))

    @blueprint.route("/resubmit", methods=["POST"])
    @described("Say that it was never started: the paid call is made again", 202, answers.Render, fails=(404, 409))
    @needs(ADMIN)
    def resubmit(render_id: str) -> Response:
        turn = desk.operations.resubmit(render_id)
        if not turn:
            raise _not_unconfirmed(desk, render_id)
        record = desk.record(render_id)
        if turn == "due":
            desk.announce(desk.dispatcher.submit, render_id, record["priority"])
        return accepted(record)

    @blueprint.route("/fail", methods=["POST"])
    @described("Give it up as failed", 200, answers.Render, fails=(400, 404, 409, 413, 415, 422))
    @blueprint.doc(requestBody=json_body(Failure, required=False))
    @needs(ADMIN)
    def fail(render_id: str) -> Response:
        message = _body(Failure(), desk)["message"]
        if desk.record(render_id)["state"] != "unconfirmed":
            raise _not_unconfirmed(desk, render_id)
        desk.ledger.fail(render_id, code="given_up", message=message, origin="caller")
        desk.announce(desk.dispatcher.hooks, render_id)
        desk.announce(desk.dispatcher.unpark)
        return answer(desk.record(render_id))

    return blueprint


def _body(schema: Schema, desk: Desk) -> dict[str, str]:
    try:
        loaded: dict[str, str] = schema.load(read_object(request, max_bytes=desk.max_bytes))
    except ValidationError as error:
        raise refusal(422, listed(flattened(error.messages))) from None
    return loaded


def _known(desk: Desk, name: str) -> str:
    if name not in desk.acceptor.accounts:
        raise Problem(404, "There is no account of this name.")
    return name


def _not_dead(desk: Desk, render_id: str, index: int) -> Problem:
    hooks = desk.record(render_id)["hooks"]
    if index >= len(hooks):
        return Problem(404, f"The render has {len(hooks)} hooks.")
    return Problem(409, f"The hook is not on the list of those given up: it is {hooks[index]['state']}.")


def _not_unconfirmed(desk: Desk, render_id: str) -> Problem:
    return Problem(409, f"Only an unconfirmed render can be settled; this one is {desk.record(render_id)['state']}.")
