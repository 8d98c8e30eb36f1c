"""The route of a render's timeline."""

from __future__ import annotations

from typing import Any

from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import READ, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.ledger import Timeline

blp = Blueprint("timelines", __name__, url_prefix="/v1/renders", description="Renders")


@blp.route("/<render_id:render_id>/timeline", methods=["GET"])
@requires(READ)
@blp.response(200, schemas.TimelineAnswer)
@blp.problems(404)
def timeline(render_id: str) -> Any:
    """Show the timeline of a render: transitions, vendor calls, hook attempts, operations and webhooks, oldest first.

    The newest 200 are kept. Polls that found nothing new are counted only: in the record's `polls`.
    """
    app = context()
    record = app.record(render_id)
    return {"id": render_id, "polls": record["polls"], "entries": Timeline(app.ledger).of(render_id)}
