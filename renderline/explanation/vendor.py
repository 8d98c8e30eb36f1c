"""How far a render at the vendor is, and what is known of one whose paid call had no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderline.explanation.part import Explanation
from renderline.explanation.submission import explain_calls
from renderline.explanation.wording import clean, coming, epoch, gone, moment, span
from renderline.ledger.condition import Condition
from renderline.renders import State


def explain_rendering(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation:
    """Explain a render that the vendor renders."""
    seen = _seen(record, condition, now=now)
    if blocked := _blocked(record, condition, now=now):
        return blocked._replace(
            sentence=f"{blocked.sentence} {seen}", ends=f"{blocked.ends} {_deadline(record, now=now)}".strip()
        )
    trouble = f" The last poll failed: {clean(record['note'])}." if record["note"] else ""
    end = _expected(record, condition)
    ends = [
        f"Expected at {coming(end, now=now)}." if end is not None and end > now else "",
        f"It is {span(now - end)} late." if end is not None and now - end > 1 else "",
        f"Next poll at {coming(condition.next_poll, now=now)}." if condition.next_poll is not None else "",
        _deadline(record, now=now),
    ]
    return Explanation(f"{seen}{trouble}", " ".join(part for part in ends if part))


def explain_unconfirmed(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation:
    """Explain a render whose paid call had no answer."""
    since, one = epoch(record["times"].get(State.UNCONFIRMED)), record["id"]
    stage = f" of stage {clean(record['stage'])}" if record["stage"] else ""
    known = f" since {gone(since, now=now)}" if since is not None else ""
    sentence = f"Nobody knows{known} whether the vendor took the paid call{stage}."
    if condition.revoking:
        sentence += " No sign of it was found: its draft is being deleted, then another one is made and exported."
    elif "another render" in (record["note"] or ""):
        sentence += " The vendor answered with the project of another render."
    blocked = _blocked(record, condition, now=now)
    if blocked:
        sentence = f"{sentence} {blocked.sentence}"
    following = f", the next one at {coming(condition.next_poll, now=now)}" if condition.next_poll is not None else ""
    ends = blocked.ends if blocked else f"Polls look for a sign{following}."
    return Explanation(
        sentence,
        f"{ends} {_deadline(record, now=now)}".strip(),
        f"Look in the vendor's dashboard; then renderline adopt {one} PROJECT if it was started, "
        f"renderline resubmit {one} if it was not, or renderline fail {one} --reason TEXT.",
    )


def _blocked(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation | None:
    """Return why nobody polls it; None if it is polled."""
    name = clean(record["account"], most=64)
    if not condition.workers:
        return Explanation(
            "No worker is running, so nobody asks the vendor.",
            "It goes on once one runs.",
            "Start a worker: celery -A workers.app worker.",
        )
    if not condition.account.known:
        return Explanation(
            f"No running worker knows its account {name}, so nobody asks the vendor.",
            "It goes on once one does.",
            "Start a worker whose settings name that account.",
        )
    return explain_calls(name, condition.account, now=now)


def _seen(record: Mapping[str, Any], condition: Condition, *, now: float) -> str:
    stage = f" with stage {clean(record['stage'])}" if record["stage"] not in (None, "export") else ""
    usual = f"; renders of this kind usually take {span(condition.typical)}" if condition.typical else ""
    if record["progress"] > 0:
        return f"The vendor is at {record['progress']:.0f} %{stage}{usual}."
    since = epoch(record["times"].get(State.RENDERING))
    begun = f" since {gone(since, now=now)}" if since is not None else ""
    return f"The vendor has it{begun}, and has reported no progress{stage}{usual}."


def _expected(record: Mapping[str, Any], condition: Condition) -> float | None:
    """Return when it should be done: as its progress predicts, else as others of its kind took."""
    if condition.done_at is not None:
        return condition.done_at
    began = condition.intent_at or epoch(record["times"].get(State.RENDERING))
    return began + condition.typical if began is not None and condition.typical is not None else None


def _deadline(record: Mapping[str, Any], *, now: float) -> str:
    at = epoch(record["deadline"])
    if at is None:
        return ""
    if at <= now:
        return f"Its deadline passed at {moment(at, now=now)}: one last poll looks whether it is done."
    return f"It expires at its deadline, {coming(at, now=now)}."
