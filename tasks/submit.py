"""`renderline.submit`: start a render at the vendor, or come back later."""

from __future__ import annotations

from functools import partial

import structlog
from celery import shared_task

from renderline import contract
from renderline.submission.submitter import Announced, Outcome, Refused, Submitted, TryAgain
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask

log = structlog.get_logger(__name__)


@shared_task(name=contract.SUBMIT, bind=True, base=RenderlineTask)
def submit(self: RenderlineTask, render_id: str) -> None:
    """Submit a render if it is its turn.

    An announced call waits for the ledger's disk: beside the threads that take messages, since it is a second in which
    polls and other submissions go on. The message is done with then; should the process die, the ledger knows.
    """
    outcome = self.services.submitter.begin(render_id)
    if isinstance(outcome, Announced):
        priority = (self.request.delivery_info or {}).get("priority")
        if self.services.aside and self.services.aside.run(
            partial(_go_on, self, render_id, outcome, priority=priority)
        ):
            return
        outcome = outcome.go_on()
    _follow(self, render_id, outcome)
    if isinstance(outcome, TryAgain) and outcome.seconds <= LONGEST_COUNTDOWN:
        raise self.retry(countdown=outcome.seconds)


def _go_on(task: RenderlineTask, render_id: str, announced: Announced, *, priority: int | None) -> None:
    outcome = announced.go_on()
    _follow(task, render_id, outcome)
    if isinstance(outcome, TryAgain) and outcome.seconds <= LONGEST_COUNTDOWN:
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
