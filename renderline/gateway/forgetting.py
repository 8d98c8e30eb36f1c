"""The route that forgets a render: its content is erased, its files follow."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from renderline.gateway.access import ADMIN, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import context
from renderline.gateway.request_schemas import ForgetQuery
from renderline.gateway.response_schemas import STATES, Response

blp = Blueprint("forgetting", __name__, url_prefix="/v1/renders", description="Renders")


class Forgotten(Response):
    """A forgotten render, and what is still to be deleted."""

    id = fields.String(required=True, metadata={"description": "32 hexadecimal digits."})
    forgotten = fields.String(required=True, metadata={"description": "When its content was erased, ISO 8601."})
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    left = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "What workers have not deleted yet: `file <url>`, `upload <sha256>`, `project <id>`, `list` "
            "(the copy of the vendor's list of projects, which has names)."
        },
    )
    kept = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why the project stays at the vendor, if its deletion was asked for and cannot be."},
    )


@blp.route("/<render_id:render_id>", methods=["DELETE"])
@requires(ADMIN)
@blp.arguments(ForgetQuery, location="query")
@blp.response(200, Forgotten)
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
