"""The routes for unconfirmed renders: the vendor may have started them, and an operator decides."""

from __future__ import annotations

from typing import Any

from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import ADMIN, caller, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.context import accepted, context
from renderline.gateway.request_schemas import Adoption, Failure

blp = Blueprint(
    "unconfirmed", __name__, url_prefix="/v1/renders/<render_id:render_id>", description="Unconfirmed renders"
)


@blp.route("/adopt", methods=["POST"])
@requires(ADMIN)
@blp.arguments(Adoption)
@blp.response(202, schemas.Render)
@blp.problems(400, 404, 409, 413, 415, 422)
def adopt(body: dict[str, Any], render_id: str) -> Any:
    """Adopt a vendor project: it belongs to this render, which is then polled."""
    return accepted(context().operations.adopt(render_id, body["project_id"], actor=caller()))


@blp.route("/resubmit", methods=["POST"])
@requires(ADMIN)
@blp.response(202, schemas.Render)
@blp.problems(404, 409)
def resubmit(render_id: str) -> Any:
    """Resubmit the render: the vendor never started it, so the paid call is repeated."""
    return accepted(context().operations.resubmit(render_id, actor=caller()))


@blp.route("/fail", methods=["POST"])
@requires(ADMIN)
@blp.arguments(Failure, required=False)
@blp.response(200, schemas.Render)
@blp.problems(400, 404, 409, 413, 415, 422)
def fail(body: dict[str, Any], render_id: str) -> Any:
    """Fail the render: its hooks run, and it can be retried."""
    return context().operations.fail(render_id, message=body["message"], actor=caller())
