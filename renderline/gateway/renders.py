"""The routes of single renders and their list: accept, show, list, cancel, retry."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, request, url_for
from flask_smorest import Blueprint

from renderline.gateway import answers
from renderline.gateway.access import READ, SUBMIT, needs
from renderline.gateway.bodies import read_json
from renderline.gateway.description import described, json_body
from renderline.gateway.desk import Desk, accepted, answer
from renderline.gateway.idempotency import header_key
from renderline.gateway.problem import Problem
from renderline.gateway.queries import Nothing, RenderQuery, load, load_renders

_LOCATION = {"Location": {"description": "The path of the render's record.", "schema": {"type": "string"}}}
_LINK = {"Link": {"description": 'The next page, rel="next".', "schema": {"type": "string"}}}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key always gives the same render, through every door.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"},
}
_METADATA = "`metadata.<name>=<value>`, repeated or not, shows the renders that have these values in their metadata."


def routes(desk: Desk) -> Blueprint:
    """Return the routes below /v1/renders that anybody with a key may be given."""
    blueprint = Blueprint("renders", __name__, url_prefix="/v1/renders", description="Renders")

    @blueprint.route("", methods=["POST"])
    @described("Accept a render request", 202, answers.Render, fails=(400, 409, 413, 415, 422), headers=_LOCATION)
    @blueprint.doc(parameters=[_KEY], requestBody=json_body("RenderRequest"))
    @needs(SUBMIT)
    def submit() -> Response:
        load(Nothing(), request)
        key = header_key(request)
        data = read_json(request, max_bytes=desk.max_bytes)
        render_id = desk.acceptor.accept(data, key=key, message_id=str(uuid.uuid4()))
        return accepted(desk.record(render_id))

    @blueprint.route("", methods=["GET"])
    @described("List renders, newest first", 200, answers.Page, fails=(422,), headers=_LINK)
    @blueprint.doc(parameters=[{"in": "query", "schema": RenderQuery}], description=_METADATA)
    @needs(READ)
    def index() -> Response:
        wanted, asked = load_renders(RenderQuery(), request)
        found, following = desk.listing.page(wanted, limit=asked["limit"], cursor=asked.get("cursor"))
        headers = {"Link": f'<{_next_page(following)}>; rel="next"'} if following else {}
        return answer({"renders": found, "next": following}, headers=headers)

    @blueprint.route("/<render_id:render_id>", methods=["GET"])
    @described("Show a render", 200, answers.Render, fails=(404,))
    @needs(READ)
    def show(render_id: str) -> Response:
        return answer(desk.record(render_id))

    _add_changes(blueprint, desk)
    return blueprint


def _add_changes(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.route("/<render_id:render_id>/cancel", methods=["POST"])
    @described("Give a render up", 200, answers.Render, fails=(404, 409))
    @needs(SUBMIT)
    def cancel(render_id: str) -> Response:
        """Before its submission nothing is sent; afterwards it is no longer followed and its hooks do not run.

        The vendor knows no cancellation: what runs there runs on.
        """
        state = desk.operations.cancel(render_id)
        if not state:
            raise Problem(404, "There is no render with this id.")
        if state != "canceled":
            raise Problem(409, f"The render has ended: it is {state}.")
        desk.announce(desk.dispatcher.hooks, render_id)
        desk.announce(desk.dispatcher.unpark)
        return answer(desk.record(render_id))

    @blueprint.route("/<render_id:render_id>/retry", methods=["POST"])
    @described("Try a failed or expired render again", 202, answers.Render, fails=(404, 409), headers=_LOCATION)
    @needs(SUBMIT)
    def retry(render_id: str) -> Response:
        """It is submitted anew, in the same record; what was is kept in its history."""
        turn = desk.operations.retry(render_id)
        if not turn:
            state = desk.record(render_id)["state"]
            raise Problem(409, f"Only a failed or expired render can be tried again; this one is {state}.")
        record = desk.record(render_id)
        if turn == "due":
            desk.announce(desk.dispatcher.submit, render_id, record["priority"])
        return accepted(record)


def _next_page(cursor: str) -> str:
    given: dict[str, Any] = {name: values for name, values in request.args.lists() if name != "cursor"}
    return url_for("renders.index", **given, cursor=cursor)
