"""Turns Redis' answers into the ledger's types. Records may lack fields or hold invalid values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from renderline.ledger.claims import DuePoll, PumpWake, Submission
from renderline.ledger.labels import load_labels
from renderline.ledger.record import (
    UNREADABLE,
    load_data,
    load_history,
    load_meta,
    public_record,
    unreadable_record,
)
from renderline.tenants import DEFAULT


def answers_of(raw: list[Any]) -> list[Any]:
    """Return a pipeline's answers; of the errors only those stay that report a key of the wrong type."""
    for one in raw:
        if isinstance(one, Exception) and not str(one).startswith("WRONGTYPE"):
            raise one
    return raw


def record_of(render_id: str, fields: Any, texts: Any) -> dict[str, Any]:
    """Return the public record, or the placeholder that lists show for an unreadable one."""
    try:
        meta, history = texts
        return public_record(render_id, fields, load_meta(meta), load_history(history))
    except UNREADABLE:
        return unreadable_record(render_id, fields if isinstance(fields, dict) else {})


def submission_of(render_id: str, fence: str, flat: Sequence[str], meta: str, body: str, announced: str) -> Submission:
    """Return the claim in the answer of the claiming step; raises one of `UNREADABLE`."""
    fields, known = fields_of(flat), load_meta(meta)
    return Submission(
        id=render_id,
        fence=fence,
        kind=fields["kind"],
        account=fields["account"],
        attempt=int(fields.get("attempt", 1)),
        draft=int(fields.get("draft", 1)),
        attempts=int(fields["attempts"]),
        failures=int(fields.get("failures", 0)),
        deadline=float(fields["deadline"]),
        stage=fields["stage"],
        intent=fields.get("intent"),
        announced=bool(announced),
        project_id=fields.get("project_id"),
        baseline=fields.get("baseline"),
        name=known.get("name") or "",
        body=body,
        tenant=fields.get("tenant", DEFAULT),
        data=load_data(fields.get("data")),
        intent_at=float(fields["intent_at"]) if fields.get("intent_at") else None,
        late="late" in fields,
        metadata=known.get("metadata") or {},
        request_id=fields.get("request_id"),
        labels=load_labels(fields.get("labels")),
    )


def fields_of(flat: Sequence[str]) -> dict[str, str]:
    """Return a script's HGETALL answer, names and values in turn, as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def wake_of(account: str, raw: Sequence[Any] | None) -> PumpWake | None:
    """Return the pump to start from a step's answer, if any."""
    return PumpWake(account, int(raw[0]), int(raw[1]), float(raw[2])) if raw else None


POLL_FIELDS = (
    "kind",
    "state",
    "project_id",
    "polls",
    "progress",
    "progress_at",
    "t:rendering",
    "t:unconfirmed",
    "deadline_at",
    "faults",
    "untouched",
    "untouched_at",
    "baseline",
    "intent_at",
    "attempt",
    "draft",
    "revoking",
    "reported_url",
    "webhook_done",
    "rate",
    "stalls",
    "tenant",
    "stage",
    "data",
    "draft_only",
    "request_id",
    "labels",
    "resubmit_at",
)
"""The record fields that a due poll is made of, in the order in which `due_poll_of` takes them."""


def due_poll_of(item: Sequence[Any], *, webhooks_alive: bool) -> DuePoll:
    """Return an item of the step that claims due polls; raises one of `UNREADABLE`."""
    render_id, epoch, kind, state, project_id, polls, progress, progress_at, rendering_at, unconfirmed_at = item[:10]
    deadline_at, faults, untouched, untouched_at, baseline, intent_at, attempt, draft = item[10:18]
    revoking, reported_url, webhook_done, rate, stalls, tenant, stage, data, draft_only, request_id, labels = item[
        18:29
    ]
    resubmit_at = resubmit_time(item[29], intent_at)
    since = rendering_at if state == "rendering" else unconfirmed_at
    return DuePoll(
        id=render_id,
        epoch=int(epoch),
        kind=kind,
        state=state,
        project_id=project_id,
        polls=int(polls or 0),
        progress=float(progress or 0),
        progress_at=float(progress_at or since),
        since=float(since),
        deadline_at=float(deadline_at),
        faults=int(faults or 0),
        untouched=int(untouched or 0),
        untouched_at=float(untouched_at) if untouched_at else None,
        baseline=baseline,
        intent_at=float(intent_at or since),
        attempt=int(attempt or 1),
        draft=int(draft or 1),
        revoking=bool(revoking) and revoking == project_id,
        reported_url=reported_url,
        webhook_done=bool(webhook_done),
        tenant=tenant or DEFAULT,
        rate=float(rate) if rate else None,
        stalls=int(stalls or 0),
        webhooks_alive=webhooks_alive,
        stage=stage or "",
        data=load_data(data),
        draft_only=bool(draft_only),
        request_id=request_id or None,
        labels=load_labels(labels),
        resubmit_at=resubmit_at,
    )


def resubmit_time(value: str | None, intent_at: str | None) -> float | None:
    """Return when a render without evidence may be submitted again; None if `value` is about an earlier call."""
    at, _, about = (value or "").partition(" ")
    return float(at) if at and about == intent_at else None
