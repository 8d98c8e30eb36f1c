"""The route that accepts up to a thousand requests in one call: each for itself, or all or none."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Request, Response, request
from flask_smorest import Blueprint

from renderline.acceptance import Item, NotTogether
from renderline.contract import key_error
from renderline.gateway import answers
from renderline.gateway.access import SUBMIT, needs
from renderline.gateway.bodies import read_json
from renderline.gateway.description import described, json_body
from renderline.gateway.desk import Desk, answer, location
from renderline.gateway.idempotency import header_key
from renderline.gateway.problem import Problem, listed, refusal
from renderline.gateway.queries import Nothing, load
from renderline.ledger import KeyConflict
from renderline.requests import RequestRefused

MOST: Final = 1000
LARGER: Final = 8
"""How many times as large as one request a batch may be."""

# The levels around a request: the body, its list, the item.
_AROUND = 3
_FIELDS = frozenset({"requests", "all_or_nothing"})
_ITEM_FIELDS = frozenset({"request", "key"})
_TAKEN = "was used before with another request"


def routes(desk: Desk) -> Blueprint:
    """Return the route of batches."""
    blueprint = Blueprint("batches", __name__, url_prefix="/v1/renders", description="Many renders at once")

    @blueprint.route("/batch", methods=["POST"])
    @described("Accept many render requests", 202, answers.BatchAnswer, fails=(400, 409, 413, 415, 422))
    @blueprint.doc(requestBody=json_body("BatchRequest"))
    @needs(SUBMIT)
    def submit_batch() -> Response:
        """Each request is accepted or refused for itself, and the answer says which: 202 means that it was looked at.

        With `all_or_nothing` either all are accepted, or none and the answer is an error that names what was wrong.
        An `Idempotency-Key` of the whole call gives each item without a `key` one of its own.
        """
        load(Nothing(), request)
        items, together = _read(request, max_bytes=LARGER * desk.max_bytes)
        try:
            outcomes = desk.acceptor.accept_all(items, together=together)
        except NotTogether as refused:
            raise _none_accepted(refused) from None
        results = [_result(place, outcome) for place, outcome in enumerate(outcomes)]
        taken = sum(result["id"] is not None for result in results)
        return answer({"accepted": taken, "refused": len(results) - taken, "results": results}, 202)

    return blueprint


def _read(request: Request, *, max_bytes: int) -> tuple[list[Item], bool]:
    whole = header_key(request)
    data = read_json(request, max_bytes=max_bytes, deeper=_AROUND)
    errors = _body_errors(data)
    if errors:
        raise refusal(422, listed(errors))
    # A key for each item, so that the whole call can be repeated.
    return [
        Item(
            item["request"],
            key=item.get("key") or (f"{whole}/{place}" if whole else None),
            message_id=str(uuid.uuid4()),
        )
        for place, item in enumerate(data["requests"])
    ], bool(data.get("all_or_nothing"))


def _body_errors(data: Any) -> dict[str, list[str]]:
    if not isinstance(data, dict):
        return {"request": ["must be an object"]}
    errors = {name: ["unknown field"] for name in map(str, data.keys() - _FIELDS)}
    if not isinstance(data.get("all_or_nothing", False), bool):
        errors["all_or_nothing"] = ["must be true or false"]
    items = data.get("requests")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST:
        return {**errors, "requests": [f"must be a list of 1 to {MOST} items"]}
    for place, item in enumerate(items):
        for path, said in _item_errors(item).items():
            errors[f"requests.{place}{path}"] = [said]
    return errors


def _item_errors(item: Any) -> dict[str, str]:
    if not isinstance(item, dict):
        return {"": "must be an object with `request` and, if you like, `key`"}
    found = {f".{name}": "unknown field" for name in map(str, item.keys() - _ITEM_FIELDS)}
    if "request" not in item:
        found[".request"] = "is required"
    key = item.get("key")
    if key is not None and (error := key_error(key)):
        found[".key"] = error
    return found


def _result(place: int, outcome: str | RequestRefused | KeyConflict) -> dict[str, Any]:
    result: dict[str, Any] = {"index": place, "status": 202, "id": None, "location": None, "detail": None, "errors": []}
    if isinstance(outcome, str):
        return {**result, "id": outcome, "location": location(outcome)}
    if isinstance(outcome, RequestRefused):
        problem = refusal(422, listed(outcome.errors))
        return {**result, "status": 422, "detail": problem.detail, "errors": problem.errors}
    said = [{"path": "key", "message": _TAKEN}]
    return {**result, "status": 409, "detail": f"The key {_TAKEN}.", "errors": said}


def _none_accepted(refused: NotTogether) -> Problem:
    errors: list[dict[str, str]] = []
    for place, why in refused.refusals.items():
        if isinstance(why, RequestRefused):
            errors += listed(why.errors, below=f"requests.{place}.request")
        else:
            errors.append({"path": f"requests.{place}.key", "message": _TAKEN})
    wrong = any(isinstance(why, RequestRefused) for why in refused.refusals.values())
    detail = f"{len(refused.refusals)} of the requests cannot be accepted, so none was."
    return Problem(422 if wrong else 409, detail, errors=errors)
