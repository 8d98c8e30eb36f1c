"""`renderline.submit`: start a render at the vendor, or come back later."""

from __future__ import annotations

from functools import partial

import structlog
from celery import shared_task

from renderline import contract
from renderline.submission.outcome import Announced, Outcome, Refused, RetryIn, Submitted
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask

log = structlog.get_logger(__name__)


@shared_task(name=contract.SUBMIT, bind=True, base=RenderlineTask)
def submit(self: RenderlineTask, render_id: str) -> None:
    """Submit a render if it is its turn.

    An announced call waits up to a second for the ledger's disk, in a background thread, so that this one can take the
    next message. The message is acked then; if the process dies, the sweep finds the render in the ledger.
    """
    outcome = self.services.submitter.begin(render_id)
    if isinstance(outcome, Announced):
        priority = (self.request.delivery_info or {}).get("priority")
        background = self.services.background
        if background and background.run(partial(_make_paid_call, self, render_id, outcome, priority=priority)):
            return
        outcome = outcome.make_call()
    _follow(self, render_id, outcome)
    if isinstance(outcome, RetryIn) and outcome.seconds <= LONGEST_COUNTDOWN:
        raise self.retry(countdown=outcome.seconds)


def _make_paid_call(task: RenderlineTask, render_id: str, announced: Announced, *, priority: int | None) -> None:
    outcome = announced.make_call()
    _follow(task, render_id, outcome)
    if isinstance(outcome, RetryIn) and outcome.seconds <= LONGEST_COUNTDOWN:
        options = {} if priority is None else {"priority": priority}
        task.apply_async((render_id,), countdown=outcome.seconds, queue=contract.SUBMIT_QUEUE, **options)


def _follow(task: RenderlineTask, render_id: str, outcome: Outcome) -> None:
    match outcome:
        case Submitted(kick):
            log.info("submitted", render_id=render_id)
            if kick:
                task.services.dispatcher.poll(kick)
        case Refused():
            task.services.dispatcher.hooks(render_id)
