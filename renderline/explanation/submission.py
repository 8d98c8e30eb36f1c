"""Why a render is not submitted yet, or why its submission is not done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderline.explanation.part import Explanation
from renderline.explanation.wording import clean, coming, counted, epoch, gone, span
from renderline.ledger.condition import AccountCondition, Condition
from renderline.renders import State

_START = "Start a worker: celery -A workers.app worker."
_LONG_QUEUED = 60.0
"""Seconds in the queue after which somebody should look."""


def explain_held(record: Mapping[str, Any], *, now: float) -> Explanation:
    """Explain a render that an operator holds."""
    held = record["held"]
    since = epoch(held["at"])
    by = f" by {clean(held['by'])}" if held["by"] else ""
    reason = f": {clean(held['reason'])}" if held["reason"] else ""
    return Explanation(
        f"Held{by}{f' since {gone(since, now=now)}' if since is not None else ''}{reason}.",
        "It is submitted once it is released.",
        f"It goes on with: renderline release {record['id']}.",
    )


def explain_submission(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation:
    """Explain a render that is `accepted` or `submitting`."""
    if condition.claimed_until is not None:
        return _claimed(record, condition, now=now)
    account, note = condition.account, record["note"] or ""
    name = clean(record["account"], most=64)
    if not condition.workers:
        return Explanation("No worker is running, so nobody submits it.", "It goes on once one runs.", _START)
    if not account.known:
        return Explanation(
            f"No running worker knows its account {name}.",
            "It goes on once one does; after a day it fails.",
            "Start a worker whose settings name that account.",
        )
    if note.startswith("waits for a worker that has the "):
        return Explanation(
            f"{clean(note).capitalize()} {name}.",
            "It goes on once one runs; after a day it fails.",
            "Set the credentials of that API for a worker.",
        )
    if note.startswith("its kind "):
        return Explanation(
            f"It waits for a worker of a later version: {clean(note)}.",
            "It goes on once one takes it.",
            "Update the workers.",
        )
    if blocked := explain_account(name, account, now=now):
        return _placed(blocked, condition)
    if condition.ahead is not None:
        return _placed(_waiting(record, condition, note, now=now), condition)
    if condition.queued_at is not None:
        return _queued(condition, condition.queued_at, now=now)
    if note:
        return Explanation(
            f"Its submission did not succeed yet: {clean(note)}.",
            f"It is tried again by itself, at the latest at {coming(condition.resend_at, now=now)}."
            if condition.resend_at is not None
            else "It is tried again by itself.",
        )
    again = condition.resend_at
    return Explanation(
        "A worker is about to make its next calls." if record["state"] == State.SUBMITTING else "It is about to begin.",
        f"If its message was lost, it is sent again at {coming(again, now=now)}." if again is not None else "",
    )


def explain_account(name: str, account: AccountCondition, *, now: float) -> Explanation | None:
    """Explain why an account's submissions wait; None if nothing holds all of them back."""
    if account.paused:
        return Explanation(
            f"Account {name} is paused.", "Its renders go on once it is resumed.", f"renderline resume {name}."
        )
    if account.refusal is not None:
        since = f" since {gone(account.refused_since, now=now)}" if account.refused_since is not None else ""
        at = account.attempt_at
        return Explanation(
            f"The vendor has refused to render for account {name}{since}: {clean(account.refusal)}.",
            f"One submission tries again at {coming(at, now=now)}; the first that is taken lets all go on."
            if at is not None
            else "",
            f"Check its credit; then renderline resume {name}.",
        )
    return explain_calls(name, account, now=now)


def explain_calls(name: str, account: AccountCondition, *, now: float) -> Explanation | None:
    """Explain why an account makes no calls, polls neither; None if it makes them."""
    if account.circuit_since is not None:
        return Explanation(
            f"The vendor has not answered account {name} since {gone(account.circuit_since, now=now)}, circuit open.",
            "One call at a time probes; the first answer lets all go on.",
            f"Check the vendor's status; renderline resume {name} lets calls go on at once.",
        )
    if account.backoff_until is not None:
        return Explanation(
            f"The vendor asked account {name} to wait (429).",
            f"Its calls go on at {coming(account.backoff_until, now=now)}.",
        )
    return None


def _claimed(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation:
    stage = f" of stage {clean(record['stage'])}" if record["stage"] else ""
    until = condition.claimed_until or now
    return Explanation(
        f"A worker is making its vendor calls{stage} now.",
        f"If that worker dies, another one takes over after {coming(until, now=now)}.",
    )


def _waiting(record: Mapping[str, Any], condition: Condition, note: str, *, now: float) -> Explanation:
    """Explain a parked render whose account may make calls."""
    account, name = condition.account, clean(record["account"], most=64)
    if account.slots is not None and account.taken >= account.slots:
        holder = condition.holder
        oldest = f", the oldest by render {holder.id} since {gone(holder.since, now=now)}" if holder else ""
        return Explanation(
            f"Waits for a slot: {account.taken} of {account.slots} slots of account {name} are taken{oldest}.",
            "It goes on when one is free and its turn comes.",
        )
    if account.slowed or note.startswith("the rate limit"):
        return Explanation(
            f"Waits for its turn: the vendor's 429 has slowed account {name} down.",
            "It goes on within seconds of its turn; the rate grows back by itself.",
        )
    if note.startswith("its account hangs"):
        return Explanation(
            f"Waits for its turn: the calls of account {name} hang, with as many under way as one worker makes.",
            "It goes on when one of them ends.",
        )
    if note and not note.startswith("waits for"):
        return Explanation(f"Waits for its turn, since at its last attempt: {clean(note)}.", "It goes on by itself.")
    return Explanation("Waits for its turn.", "It goes on when those before it have begun.")


def _placed(explanation: Explanation, condition: Condition) -> Explanation:
    """Add how many renders are before it."""
    if not condition.ahead:
        return explanation
    before = counted(condition.ahead, "render of its tenant is", "renders of its tenant are")
    return explanation._replace(sentence=f"{explanation.sentence[:-1]}; {before} before it.")


def _queued(condition: Condition, since: float, *, now: float) -> Explanation:
    if now - since < _LONG_QUEUED:
        return Explanation("Its submission is in the queue.", "A worker takes it within seconds.")
    return Explanation(
        f"Its submission has been in the queue for {span(now - since)}: the workers are busy, or none consumes it.",
        f"If its message was lost, it is sent again at {coming(condition.resend_at, now=now)}."
        if condition.resend_at is not None
        else "",
        "renderline doctor says which workers consume which queue.",
    )
