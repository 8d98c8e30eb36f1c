"""Explains one render: why it is not done yet, or what it ended with. A pure function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderline.explanation.ends import explain_canceled, explain_done, explain_expired, explain_failed
from renderline.explanation.hooks import explain_dead, explain_hooks
from renderline.explanation.part import Explanation
from renderline.explanation.submission import explain_held, explain_submission
from renderline.explanation.vendor import explain_rendering, explain_unconfirmed
from renderline.explanation.wording import clean
from renderline.ledger.condition import Condition
from renderline.ledger.record import NEWER, is_unreadable
from renderline.renders import State
from renderline.retry import HookRetryPolicy

_QUARANTINE = Explanation(
    "Its record cannot be read, so no worker takes it.", "", "renderline quarantine list shows why."
)

_NEWER = Explanation(
    "A newer version of Renderline wrote its record, so the workers of this version leave it to those of that one.",
    "A worker of that version goes on with it.",
    "Ask a program of that version; start a worker of it if renderline doctor shows none.",
)


def explain(
    record: Mapping[str, Any], condition: Condition, *, now: float, retries: HookRetryPolicy | None = None
) -> Explanation:
    """Return the explanation of a public record in this condition; `now` is epoch seconds of the ledger's clock.

    `retries` says when hooks are given up; None: that is not said. Texts of others are cleaned and shortened; times are
    in UTC. It makes no call and never raises for a record of another version.
    """
    state, note = record["state"], record["note"] or ""
    if note.startswith(NEWER):
        return _NEWER
    if is_unreadable(record) or note.startswith("quarantined:"):
        return _QUARANTINE
    if record.get("held"):
        return explain_held(record, now=now)
    if state in (State.ACCEPTED, State.SUBMITTING):
        return explain_submission(record, condition, now=now)
    if state == State.RENDERING:
        return explain_rendering(record, condition, now=now)
    if state == State.UNCONFIRMED:
        return explain_unconfirmed(record, condition, now=now)
    ended = _ended(record, condition, now=now)
    if ended is None:
        return Explanation(
            f"It is {clean(state)}, a state that this version does not know.", "", "Update this program."
        )
    return _with_hooks(ended, record, condition, retries, now=now)


def _ended(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation | None:
    state = record["state"]
    if state in (State.COMPLETED, State.DELIVERED, State.UNDELIVERED):
        return explain_done(record, now=now)
    if state == State.FAILED:
        return explain_failed(record, now=now)
    if state == State.EXPIRED:
        return explain_expired(record, now=now)
    return explain_canceled(record, condition, now=now) if state == State.CANCELED else None


def _with_hooks(
    ended: Explanation, record: Mapping[str, Any], condition: Condition, retries: HookRetryPolicy | None, *, now: float
) -> Explanation:
    """Add what the hooks wait for, and which of them were given up."""
    waits = explain_hooks(record, condition, retries, now=now)
    # A render whose hooks are owed without any being left has just ended.
    parts = [part for part in (waits, explain_dead(record, condition, now=now)) if part]
    if not parts:
        return ended
    video = record["state"] in (State.COMPLETED, State.UNDELIVERED)
    sentence = "The video is ready." if video else ended.sentence
    return Explanation(
        " ".join([sentence, *(part.sentence for part in parts)]),
        " ".join(part.ends for part in parts if part.ends),
        " ".join(part for part in ("" if video else ended.action, *(one.action for one in parts)) if part),
    )
