"""The route that forgets a render: its content is erased, its files follow."""

from __future__ import annotations

from typing import Any

from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import ADMIN, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.gateway.request_schemas import ForgetQuery

blp = Blueprint("forgetting", __name__, url_prefix="/v1/renders", description="Renders")


@blp.route("/<render_id:render_id>", methods=["DELETE"])
@requires(ADMIN)
@blp.arguments(ForgetQuery, location="query")
@blp.response(200, schemas.Forgotten)
@blp.problems(404, 409, 422)
def forget(query: dict[str, Any], render_id: str) -> Any:
    """Forget a render that has ended: script, name, metadata, hooks and timeline are erased at once.

    Workers delete its stored files, and uploads that only it named; with `vendor=true` its project at the vendor too.
    `left` says what they have not deleted yet: call again to see what is left then. The record stays, with its times
    and its cost, so that the idempotency key stays spent. One that has not ended is refused: cancel it first.
    """
    done = context().forgetter.forget(render_id, actor=caller(), vendor=query["vendor"])
    return {
        "id": render_id,
        "forgotten": done.record["forgotten"],
        "state": done.record["state"],
        "left": done.left,
        "kept": done.kept or None,
    }
