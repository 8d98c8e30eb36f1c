"""The routes of single renders and their list: accept, list, show, cancel, retry."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request, url_for

from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import ADMIN, READ, SUBMIT, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.bulk_schemas import HoldReason
from renderline.gateway.context import accepted, context
from renderline.gateway.request_components import example_requests
from renderline.gateway.request_ids import request_id
from renderline.gateway.request_schemas import IdempotencyHeader, NoQuery, RenderQuery, RenderRequest
from renderline.gateway.response_schemas import LOCATION
from renderline.search import Search

blp = Blueprint("renders", __name__, url_prefix="/v1/renders", description="Renders")

_LINK = {"Link": {"description": 'The next page, rel="next".', "schema": {"type": "string"}}}


@blp.route("", methods=["POST"])
@requires(SUBMIT)
@blp.arguments(NoQuery, location="query")
@blp.arguments(IdempotencyHeader, location="headers", error_status_code=400)
@blp.arguments(RenderRequest, examples=example_requests())
@blp.response(202, schemas.Render, headers=LOCATION)
@blp.problems(400, 409, 413, 415, 422)
def submit(query: dict[str, Any], headers: dict[str, Any], body: Any) -> Any:
    """Accept a render request."""
    app = context()
    render_id = app.acceptor.accept(
        body, key=headers.get("key"), message_id=str(uuid.uuid4()), actor=caller(), request_id=request_id()
    )
    return accepted(app.record(render_id))


@blp.route("", methods=["GET"])
@requires(READ)
@blp.arguments(RenderQuery, location="query")
@blp.response(200, schemas.Page, headers=_LINK)
@blp.problems(422)
def index(query: dict[str, Any]) -> Any:
    """List renders, newest first.

    `metadata.<name>=<value>`, repeated or not, selects the renders that have these values in their metadata.
    """
    app = context()
    search = Search(app.ledger, app.queries)
    found, cursor = search.find(query["filter"], tenant=caller().tenant, limit=query["limit"], cursor=query["cursor"])
    headers = {"Link": f'<{_next_page(cursor)}>; rel="next"'} if cursor else {}
    return {"renders": found, "next": cursor}, headers


@blp.route("/<render_id:render_id>", methods=["GET"])
@requires(READ)
@blp.response(200, schemas.Render)
@blp.problems(404)
def show(render_id: str) -> Any:
    """Show a render."""
    return context().record(render_id)


@blp.route("/<render_id:render_id>/cancel", methods=["POST"])
@requires(SUBMIT)
@blp.response(200, schemas.Render)
@blp.problems(404, 409)
def cancel(render_id: str) -> Any:
    """Cancel a render.

    Before its submission nothing is sent to the vendor. Afterwards it is no longer polled, but the vendor has no
    cancellation: what it has begun it renders and charges. Of the render's hooks only those run whose `events` include
    `render.canceled`.
    """
    return context().operations.cancel(render_id, actor=caller()).record


@blp.route("/<render_id:render_id>/retry", methods=["POST"])
@requires(SUBMIT)
@blp.response(202, schemas.Render, headers=LOCATION)
@blp.problems(404, 409)
def retry(render_id: str) -> Any:
    """Retry a failed or expired render.

    It is submitted anew, in the same record; `history` keeps the earlier attempt.
    """
    return accepted(context().operations.retry(render_id, actor=caller()))


@blp.route("/<render_id:render_id>/hold", methods=["POST"])
@requires(ADMIN)
@blp.arguments(HoldReason, required=False)
@blp.response(200, schemas.Render)
@blp.problems(400, 404, 409, 413, 415, 422)
def hold(body: dict[str, Any], render_id: str) -> Any:
    """Hold an accepted render back: it is not submitted until it is released."""
    return context().operations.hold(render_id, reason=body["reason"], actor=caller())


@blp.route("/<render_id:render_id>/release", methods=["POST"])
@requires(ADMIN)
@blp.response(202, schemas.Render, headers=LOCATION)
@blp.problems(404, 409)
def release(render_id: str) -> Any:
    """Release a held render: it is submitted when its turn comes."""
    return accepted(context().operations.release(render_id, actor=caller()))


@blp.route("/<render_id:render_id>/explanation", methods=["GET"])
@requires(READ)
@blp.response(200, schemas.ExplanationAnswer)
@blp.problems(404)
def explanation(render_id: str) -> Any:
    """Explain a render: why it is not done yet, or what it ended with. The texts are for people, and may change."""
    app = context()
    (found,) = app.explainer.explain([app.record(render_id)])
    return {"id": render_id, **found._asdict()}


def _next_page(cursor: str) -> str:
    given: dict[str, Any] = {name: values for name, values in request.args.lists() if name != "cursor"}
    return url_for("renders.index", **given, cursor=cursor)
