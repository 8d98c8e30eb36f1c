"""The route that accepts up to a thousand requests in one call: each by itself, or all or none."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import request

from renderline.acceptance import Item, NotTogether
from renderline.contract import MAX_KEY_LENGTH
from renderline.gateway import error_handlers
from renderline.gateway import response_schemas as schemas
from renderline.gateway.access import SUBMIT, caller, count_more, requires
from renderline.gateway.api import Blueprint
from renderline.gateway.body_limits import BATCH_FACTOR
from renderline.gateway.context import context, location
from renderline.gateway.problem import Problem, field_errors, wrong_fields
from renderline.gateway.request_ids import request_id
from renderline.gateway.request_schemas import BatchRequest, IdempotencyHeader, NoQuery
from renderline.ledger import KeyConflict, QuotaExceeded
from renderline.requests import RequestRefused

blp = Blueprint("batches", __name__, url_prefix="/v1/renders", description="Many renders at once")

_KEY_USED: Final = "was used before with another request"


def _one_of_few(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run the view, and parse the body for it, only if the gateway has room for another batch."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Any:
        size = request.content_length
        with context().batches.hold(caller().tenant, BATCH_FACTOR * context().max_bytes if size is None else size):
            return view(*args, **kwargs)

    return run


@blp.route("/batch", methods=["POST"])
@requires(SUBMIT)
@_one_of_few
@blp.arguments(NoQuery, location="query")
@blp.arguments(IdempotencyHeader, location="headers", error_status_code=400)
@blp.arguments(BatchRequest)
@blp.response(202, schemas.BatchAnswer)
@blp.problems(400, 409, 413, 415, 422)
def submit_batch(query: dict[str, Any], headers: dict[str, Any], body: dict[str, Any]) -> Any:
    """Accept many render requests.

    Each request is accepted or refused by itself, and the answer says which; 202 means that the batch was read. With
    `all_or_nothing` either all are accepted, or none is and the answer is a problem that names every wrong field. An
    `Idempotency-Key` of the whole call gives each item without a `key` one of its own. A batch counts as its requests
    against the rate of the API key.
    """
    # The call itself is counted already.
    count_more(len(body["requests"]) - 1)
    items = _items(body["requests"], headers.get("key"))
    outcomes = context().acceptor.accept_all(
        items, actor=caller(), together=body["all_or_nothing"], request_id=request_id()
    )
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    accepted = sum(result["id"] is not None for result in results)
    return {"accepted": accepted, "refused": len(results) - accepted, "results": results}


def _items(given: list[dict[str, Any]], batch_key: str | None) -> list[Item]:
    """Return the items, each with a key if the batch has one, so that the whole call can be repeated."""
    return [
        Item(
            item["request"],
            key=item.get("key") or (_item_key(batch_key, index) if batch_key else None),
            message_id=str(uuid.uuid4()),
        )
        for index, item in enumerate(given)
    ]


def _item_key(batch_key: str, index: int) -> str:
    key = f"{batch_key}/{index}"
    # The longest keys leave no room for the index.
    return key if len(key) <= MAX_KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _result(index: int, outcome: str | RequestRefused | KeyConflict | QuotaExceeded) -> dict[str, Any]:
    result: dict[str, Any] = {"index": index, "status": 202, "id": None, "location": None, "detail": None, "errors": []}
    if isinstance(outcome, str):
        return {**result, "id": outcome, "location": location(outcome)}
    if isinstance(outcome, RequestRefused):
        problem = wrong_fields(field_errors(outcome.errors))
        return {**result, "status": 422, "detail": problem.detail, "errors": problem.errors}
    if isinstance(outcome, QuotaExceeded):
        return {**result, "status": 429, "detail": f"{outcome}."}
    errors = [{"path": "key", "message": _KEY_USED}]
    return {**result, "status": 409, "detail": f"The key {_KEY_USED}.", "errors": errors}


@blp.errorhandler(NotTogether)
def _none_accepted(refused: NotTogether) -> Any:
    errors: list[dict[str, str]] = []
    for index, reason in refused.refusals.items():
        if isinstance(reason, RequestRefused):
            errors += field_errors(reason.errors, below=f"requests.{index}.request")
        else:
            errors.append({"path": f"requests.{index}.key", "message": _KEY_USED})
    wrong = any(isinstance(reason, RequestRefused) for reason in refused.refusals.values())
    detail = f"{len(refused.refusals)} of the requests cannot be accepted, so none was."
    return error_handlers.problem(Problem(422 if wrong else 409, detail, errors=errors))
