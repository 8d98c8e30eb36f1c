"""What a render ended with, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderline.explanation.part import Explanation
from renderline.explanation.wording import clean, epoch, gone, span
from renderline.ledger.condition import Condition
from renderline.renders import State


def explain_done(record: Mapping[str, Any], *, now: float) -> Explanation:
    """Explain a render whose video is ready, and whose hooks are finished."""
    ready = epoch(record["times"].get(State.COMPLETED)) or epoch(record["times"].get(record["state"]))
    accepted = epoch(record["times"].get(State.ACCEPTED))
    when = f" at {gone(ready, now=now)}" if ready is not None else ""
    took = f", {span(ready - accepted)} after its acceptance" if ready is not None and accepted is not None else ""
    delivered = sum(hook["state"] == "delivered" for hook in record["hooks"])
    were = "was" if delivered == 1 else "were"
    hooks = f" {delivered} of {len(record['hooks'])} hooks {were} delivered." if delivered else ""
    if delivered and delivered == len(record["hooks"]):
        hooks = " Its hook was delivered." if delivered == 1 else f" All {delivered} hooks were delivered."
    return Explanation(f"Done: the video was ready{when}{took}.{hooks}")


def explain_failed(record: Mapping[str, Any], *, now: float) -> Explanation:
    """Explain a failed render."""
    error, one = record["error"], record["id"]
    if error is None:
        return Explanation(f"Failed{_at(record, now=now)}; its record does not say why.", "", _retry(one))
    origins = {"vendor": " at the vendor", "caller": " because of its request", "renderline": " within Renderline"}
    where = origins.get(error["origin"], "")
    code = f"[{clean(error['code'], most=64)}] " if error["code"] else ""
    sentence = f"Failed{where}{_at(record, now=now)}: {code}{clean(error['message'])}."
    return Explanation(sentence, "", _advice(record))


def explain_expired(record: Mapping[str, Any], *, now: float) -> Explanation:
    """Explain an expired render."""
    error, one = record["error"], record["id"]
    why = f": {clean(error['message'])}" if error else ""
    sentence = f"Expired{_at(record, now=now)}{why}."
    if error and error["code"] == "unconfirmed":
        return Explanation(sentence, "", f"Look in the vendor's dashboard whether it was charged; then {_retry(one)}")
    if error and error["code"] == "no_download_url":
        return Explanation(sentence, "", "The vendor finished it: download it from the vendor's dashboard.")
    return Explanation(
        sentence,
        "",
        f"The vendor may still finish it: look there first. {_retry(one)} Another deadline needs a new request.",
    )


def explain_canceled(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation:
    """Explain a canceled render."""
    by = f" by {clean(condition.ended_by)}" if condition.ended_by else ""
    charged = " The vendor may still finish and charge it." if State.SUBMITTING in record["times"] else ""
    return Explanation(f"Canceled{by}{_at(record, now=now)}.{charged}")


def _at(record: Mapping[str, Any], *, now: float) -> str:
    at = epoch(record["times"].get(record["state"]))
    return f" at {gone(at, now=now)}" if at is not None else ""


def _retry(one: str) -> str:
    return f"renderline retry {one} starts a new attempt, which is charged again."


def _advice(record: Mapping[str, Any]) -> str:
    """Return what to do about a failure: correct the request, repair the installation, or try again."""
    error, one = record["error"], record["id"]
    code, origin = error["code"], error["origin"]
    if code == "given_up":
        return f"An operator gave it up. {_retry(one)}"
    if code == "unavailable_account":
        return f"Give a worker that account and its credentials; then renderline retry {one}."
    if code == "deadline":
        return f"Nothing was charged for the rest: renderline retry {one} goes on with what is there."
    if origin == "caller":
        return "Correct the request, and enqueue it under another key."
    if origin == "renderline":
        return f"The worker's log says more; then renderline retry {one}."
    if State.RENDERING in record["times"]:
        return f"The vendor had taken it, so it may succeed: {_retry(one)}"
    if error["message"].startswith("given up after"):
        return f"The vendor failed repeatedly; once it works again: renderline retry {one}."
    return (
        f"The vendor refused it: correct the request, and enqueue it under another key. If it was right: {_retry(one)}"
    )
