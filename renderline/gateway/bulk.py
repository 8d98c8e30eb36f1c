"""The route of one operation on many renders."""

from __future__ import annotations

from typing import Any, Final

from renderline.bulk import BulkRefused
from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import ADMIN, SUBMIT, caller, demand, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.bulk_schemas import BulkRequest
from renderline.gateway.context import context
from renderline.gateway.problem import wrong_fields

blp = Blueprint("bulk", __name__, url_prefix="/v1/renders", description="Many renders at once")

_FOR_ADMINS: Final = ("replay", "hold", "release")
"""The actions that need the scope `admin`, as their routes for one render do."""
_PATHS: Final = {"filter": "filter", "state": "filter.state", "cursor": "cursor"}
_SIZE: Final = 1 << 20
"""Bytes that a run counts as among the batches that the gateway works on."""


@blp.route("/bulk", methods=["POST"])
@requires(SUBMIT)
@blp.arguments(BulkRequest)
@blp.response(200, schemas.BulkAnswer)
@blp.problems(400, 413, 415, 422)
def bulk(body: dict[str, Any]) -> Any:
    """Cancel, retry, hold, release or replay the renders that a filter selects.

    Those of each state to which the action applies are taken, newest first. Each is an operation of its own: one that
    is refused, such as a render that has changed meanwhile, does not end the run. `dry_run` changes nothing and says
    which would be taken. While `more` is true, the same call with `cursor` goes on. Replay, hold and release need the
    scope `admin`.
    """
    app, action = context(), body["action"]
    if action in _FOR_ADMINS:
        demand(ADMIN)
    with app.batches.hold(caller().tenant, _SIZE):
        try:
            done = app.bulk.run(
                action,
                body["filter"],
                actor=caller(),
                dry_run=body["dry_run"],
                limit=body["limit"],
                every=body["all"],
                cursor=body["cursor"],
                reason=body["reason"],
            )
        except BulkRefused as error:
            raise wrong_fields([{"path": _PATHS[error.field], "message": str(error)}]) from None
    return {
        "matched": done.matched,
        "done": done.done,
        "refused": [{"id": one, "why": why} for one, why in done.refused],
        "more": done.more,
        "cursor": done.cursor,
        "dry_run": body["dry_run"],
    }
