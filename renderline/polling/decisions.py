"""What a look at the vendor means for a render: pure judgements from what was seen to what is recorded."""

from __future__ import annotations

import json

from renderline.kinds import KINDS, signs
from renderline.ledger import DuePoll, PollResult
from renderline.polling.durations import UNKNOWN, TypicalDuration
from renderline.polling.policy import PollPolicy, ProgressHistory, poll_in
from renderline.retry import backoff
from renderline.studio import Progress, Project, ProjectMissing, StudioFault, VendorUnavailable

FAILED_STATES = frozenset({"fail", "failed", "error", "failure"})
"""Vendor states read as a failed render. The contract names none: others are kept waiting until the deadline."""

NOWHERE = "neither progress, get-project nor the project list told a download URL, and no webhook did"
"""Where was looked for the video of a render at 100 (contract, export: the URL may be in any of them, and may lag)."""

MISSING_LOOKS = 3
"""Looks in a row that must find the project gone before it is believed."""


def progress_history(due: DuePoll) -> ProgressHistory:
    """Return what the polls and the webhooks have shown of a render so far."""
    if due.progress <= 0:
        return ProgressHistory(due.intent_at)
    passed = due.progress_at - due.intent_at
    rate = due.rate or (due.progress / passed if passed > 0 else None)
    return ProgressHistory(due.intent_at, due.progress, due.progress_at, rate, due.stalls)


def lacks_link(seen: Progress) -> bool:
    """Return whether the video is rendered, by this answer, and the answer does not tell where it is."""
    return seen.finished and not seen.download_url and (seen.state or "").lower() not in FAILED_STATES


def of_progress(
    look: DuePoll, seen: Progress, *, now: float, policy: PollPolicy, usual: TypicalDuration = UNKNOWN
) -> PollResult:
    """Judge the progress answer of a render that is known to have started.

    One at 100 % without a download URL is paid for and rendered: it is looked for until the deadline, never failed.
    `usual` is how long renders of its kind have taken lately.
    """
    if seen.done and seen.download_url:
        return PollResult(look.id, look.epoch, "done", progress=100.0, url=seen.download_url)
    # A word for the end may come without a figure.
    progress = 100.0 if seen.finished else seen.progress
    if (seen.state or "").lower() in FAILED_STATES:
        return PollResult(
            look.id,
            look.epoch,
            "failed",
            progress=seen.progress,
            code=seen.error_code or "",
            message=seen.error_message or f"the vendor reports state {seen.state!r} at {seen.progress:g} %",
        )
    if now >= look.deadline_at:
        message = f"at {progress:g} % when its deadline passed, {now - look.intent_at:.0f} s after its submission"
        if seen.finished:
            message += f"; {NOWHERE}"
        return PollResult(
            look.id,
            look.epoch,
            "expired",
            progress=progress,
            code="no_download_url" if seen.finished else "deadline",
            message=message,
            origin="renderline",
        )
    course = progress_history(look).seen(progress, now=now)
    wait = poll_in(
        course,
        policy=policy,
        now=now,
        deadline_at=look.deadline_at,
        # Once it moves, its own course tells more than others did.
        typical=usual.quick if progress <= 0 else None,
        slow=usual.slow,
        # Told that it is done and not finding it so, we see for ourselves.
        trusted=look.trusted and not look.told and KINDS[look.kind].calls_back,
    )
    return PollResult(
        look.id,
        look.epoch,
        "wait",
        look_in=wait,
        progress=progress,
        rate=course.rate,
        stalls=course.stalls,
    )


def of_webhook(look: DuePoll, *, now: float, policy: PollPolicy) -> PollResult:
    """Judge a render that only webhooks confirmed, and of which no project could be found to ask.

    With nobody to ask, the download URL that a webhook told is believed.
    """
    if look.hinted_url:
        return PollResult(look.id, look.epoch, "done", progress=100.0, url=look.hinted_url)
    if now >= look.deadline_at:
        message = "the vendor called about it, but neither its project nor a download URL became known by its deadline"
        return PollResult(look.id, look.epoch, "expired", code="deadline", message=message, origin="renderline")
    return PollResult(look.id, look.epoch, "wait", look_in=min(policy.most, look.deadline_at - now))


def still_the_old_render(look: DuePoll, project: Project) -> bool:
    """Return whether a finished project shows only what it showed before this render was exported."""
    return look.baseline is not None and signs(project) == json.loads(look.baseline)


def of_fault(
    look: DuePoll, fault: StudioFault, *, now: float, window: float, policy: PollPolicy, jitter: float
) -> PollResult:
    """Judge a look that failed: not the render's fault, so it is only looked at again later.

    A project that is gone after several looks failed, with the vendor's words; unless a webhook told where the video
    is, which then counts, as it does where the project cannot be found. Until `window` seconds after the paid call was
    announced it may only not be shown yet: reads may lag behind by that much.
    """
    gone = isinstance(fault, ProjectMissing)
    if look.hinted_url and (gone or look.project_id is None) and look.faults + 1 >= MISSING_LOOKS:
        return PollResult(look.id, look.epoch, "done", progress=100.0, url=look.hinted_url)
    if gone and look.faults + 1 >= MISSING_LOOKS and now >= look.intent_at + window:
        message = fault.message or "the vendor no longer knows the project"
        return PollResult(look.id, look.epoch, "failed", code=fault.code or "project_missing", message=message)
    wait = backoff(look.faults + 1, base=policy.least, cap=policy.most, jitter=jitter)
    # What a 429 asks for, its account keeps, until an operator lifts it.
    if isinstance(fault, VendorUnavailable) and fault.retry_after is not None:
        wait = max(wait, fault.retry_after)
    return PollResult(look.id, look.epoch, "error", look_in=wait, message=str(fault))
