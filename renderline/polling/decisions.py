"""Decisions on polls: pure functions from the vendor's answer to the poll result that is recorded."""

from __future__ import annotations

import json
from typing import Any

from renderline.kinds import KINDS, render_evidence
from renderline.ledger import DuePoll, PollResult
from renderline.polling.durations import UNKNOWN, TypicalDuration
from renderline.polling.policy import PollPolicy, ProgressHistory, poll_in
from renderline.retry import backoff
from renderline.studio import FAILED_STATES, Progress, Project, ProjectMissing, StudioFault, VendorUnavailable

NO_URL_ANYWHERE = "neither progress, get-project nor the project list gave a download URL, and no webhook did"
"""Where a render at 100 may have its URL (contract, export: the URL may be in any of them, and may lag)."""

MISSING_POLLS = 3
"""Polls in a row that must miss the project before it counts as gone."""


def progress_history(due: DuePoll) -> ProgressHistory:
    """Return the history of a render from its polls and webhooks so far."""
    if due.progress <= 0:
        return ProgressHistory(due.intent_at)
    passed = due.progress_at - due.intent_at
    rate = due.rate or (due.progress / passed if passed > 0 else None)
    return ProgressHistory(due.intent_at, due.progress, due.progress_at, rate, due.stalls)


def done_for(due: DuePoll, *, now: float) -> float | None:
    """Return for how many seconds a render that a poll finds done has been done, by its last rate of progress.

    The vendor does not say when it was. None without any progress so far.
    """
    history = progress_history(due)
    if not history.rate or due.progress <= 0:
        return None
    return max(0.0, now - (due.progress_at + (100.0 - due.progress) / history.rate))


def lacks_url(seen: Progress) -> bool:
    """Return whether the answer says that the video is rendered, without a download URL."""
    return seen.finished and not seen.download_url and (seen.state or "").lower() not in FAILED_STATES


def of_progress(
    due: DuePoll, seen: Progress, *, now: float, policy: PollPolicy, typical: TypicalDuration = UNKNOWN
) -> PollResult:
    """Decide about a started render, from its progress answer.

    A render at 100 % without a download URL is paid for and rendered: it is polled until the deadline, never failed.
    `typical` are the recent durations of renders of its kind.
    """
    if seen.done and seen.download_url:
        return PollResult(due.id, due.epoch, "done", progress=100.0, url=seen.download_url)
    # A state that means "finished" may come without a progress.
    progress = 100.0 if seen.finished else seen.progress
    if (seen.state or "").lower() in FAILED_STATES:
        return _failed(due, seen)
    if now >= due.deadline_at:
        ready = next((one.download_url for one in seen.outputs if one.done and not one.failed), None)
        if ready:
            # Some of its files are ready; the others are late.
            return PollResult(due.id, due.epoch, "done", progress=100.0, url=ready)
        return _expired(due, progress, finished=seen.finished, now=now)
    # A webhook reported the end, but the vendor does not show it: polls have to find it.
    webhooks = due.webhooks_alive and not due.webhook_done and KINDS[due.kind].webhook_field is not None
    return _wait(due, progress, now=now, policy=policy, typical=typical, webhooks_alive=webhooks)


def of_stage(
    due: DuePoll,
    seen: Progress,
    *,
    now: float,
    policy: PollPolicy,
    following: str | None,
    typical: TypicalDuration = UNKNOWN,
) -> PollResult:
    """Decide about a stage that is no export. Once it is finished, `following` comes; None: the render is done.

    That holds after the deadline too: what the stage made is paid for, and a retry goes on with it.
    """
    if (seen.state or "").lower() in FAILED_STATES:
        return _failed(due, seen)
    if seen.finished:
        status = "done" if following is None else "next"
        return PollResult(due.id, due.epoch, status, progress=100.0, stage=following)
    if now >= due.deadline_at:
        return _expired(due, seen.progress, finished=False, now=now)
    return _wait(due, seen.progress, now=now, policy=policy, typical=typical, webhooks_alive=False)


def _wait(
    due: DuePoll,
    progress: float,
    *,
    now: float,
    policy: PollPolicy,
    typical: TypicalDuration,
    webhooks_alive: bool,
) -> PollResult:
    history = progress_history(due).seen(progress, now=now)
    wait = poll_in(
        history,
        policy=policy,
        now=now,
        deadline_at=due.deadline_at,
        # Once a render shows progress, its own history predicts more than that of others.
        typical=typical.quick if progress <= 0 else None,
        slow=typical.slow,
        webhooks_alive=webhooks_alive,
    )
    return PollResult(
        due.id, due.epoch, "wait", poll_in=wait, progress=progress, rate=history.rate, stalls=history.stalls
    )


def outputs_of(seen: Progress, result: PollResult) -> list[dict[str, Any]]:
    """Return the files of a render that has several, as the ledger keeps them, once `result` is recorded."""
    late = "expired" if result.status in ("done", "failed", "expired") else "rendering"
    return [
        {
            "language": one.language,
            "project_id": one.project_id,
            "state": "failed" if one.failed else "completed" if one.done else late,
            "progress": one.progress,
            "download_url": one.download_url if one.done and not one.failed else None,
            "error": one.error,
        }
        for one in seen.outputs
    ]


def of_webhook(due: DuePoll, *, now: float, policy: PollPolicy) -> PollResult:
    """Decide about a render that only webhooks confirmed, and whose project was not found.

    No project can be polled, so the download URL that a webhook reported is used.
    """
    if due.reported_url:
        return PollResult(due.id, due.epoch, "done", progress=100.0, url=due.reported_url)
    if now >= due.deadline_at:
        message = "the vendor called about it, but neither its project nor a download URL became known by its deadline"
        return PollResult(due.id, due.epoch, "expired", code="deadline", message=message, origin="renderline")
    return PollResult(due.id, due.epoch, "wait", poll_in=min(policy.max_interval, due.deadline_at - now))


def still_the_old_render(due: DuePoll, project: Project) -> bool:
    """Return whether a finished project shows nothing newer than the state before this render's export."""
    return due.baseline is not None and render_evidence(project) == json.loads(due.baseline)


def of_fault(
    due: DuePoll, fault: StudioFault, *, now: float, window: float, policy: PollPolicy, jitter: float
) -> PollResult:
    """Decide about a render whose poll failed. That is not the render's fault, so it is only polled again later.

    If several polls miss the project, the render fails with the vendor's words, unless a webhook reported its download
    URL, which is then used.

    Until `window` seconds after the paid call was announced, a missing project may only be invisible: reads may lag by
    that much.
    """
    gone = isinstance(fault, ProjectMissing)
    if due.reported_url and (gone or due.project_id is None) and due.faults + 1 >= MISSING_POLLS:
        return PollResult(due.id, due.epoch, "done", progress=100.0, url=due.reported_url)
    if gone and due.faults + 1 >= MISSING_POLLS and now >= due.intent_at + window:
        message = fault.message or "the vendor no longer knows the project"
        return PollResult(due.id, due.epoch, "failed", code=fault.code or "project_missing", message=message)
    wait = backoff(due.faults + 1, base=policy.min_interval, cap=policy.max_interval, jitter=jitter)
    # The account keeps the Retry-After of a 429 itself, so that an operator can lift it.
    if isinstance(fault, VendorUnavailable) and fault.retry_after is not None:
        wait = max(wait, fault.retry_after)
    return PollResult(due.id, due.epoch, "error", poll_in=wait, message=str(fault))


def _failed(due: DuePoll, seen: Progress) -> PollResult:
    return PollResult(
        due.id,
        due.epoch,
        "failed",
        progress=seen.progress,
        code=seen.error_code or "",
        message=seen.error_message or f"the vendor reports state {seen.state!r} at {seen.progress:g} %",
    )


def _expired(due: DuePoll, progress: float, *, finished: bool, now: float) -> PollResult:
    message = f"at {progress:g} % when its deadline passed, {now - due.intent_at:.0f} s after its submission"
    return PollResult(
        due.id,
        due.epoch,
        "expired",
        progress=progress,
        code="no_download_url" if finished else "deadline",
        message=f"{message}; {NO_URL_ANYWHERE}" if finished else message,
        origin="renderline",
    )
