"""`renderline.submit`: start a render at the vendor, or retry later."""

from __future__ import annotations

from functools import partial

from celery import shared_task

from renderline import contract
from renderline.retry import RetryIn
from renderline.submission.outcome import Announced
from tasks import outcomes, run_report
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask


@shared_task(name=contract.SUBMIT, bind=True, base=RenderlineTask)
def submit(self: RenderlineTask, render_id: str) -> str:
    """Submit a render if it is its turn.

    An announced call waits up to a second for the ledger's disk, in a background thread, so that this one can take the
    next message. The message is acked then; if the process dies, the sweep finds the render in the ledger.
    """
    outcome = self.services.submitter.begin(render_id)
    if isinstance(outcome, Announced):
        priority = (self.request.delivery_info or {}).get("priority")
        background, report = self.services.background, run_report.current()
        if background:
            report.postpone()
            if background.run(partial(_make_paid_call, self, render_id, outcome, priority=priority)):
                return "the paid call is announced"
        outcome = outcome.make_call()
    text = self.report(outcomes.of_submission(outcome))
    if isinstance(outcome, RetryIn) and outcome.seconds <= LONGEST_COUNTDOWN:
        raise self.retry(countdown=outcome.seconds)
    return text


def _make_paid_call(task: RenderlineTask, render_id: str, announced: Announced, *, priority: int | None) -> None:
    outcome = announced.make_call()
    if isinstance(outcome, RetryIn) and outcome.seconds <= LONGEST_COUNTDOWN:
        options = {} if priority is None else {"priority": priority}
        task.apply_async((render_id,), countdown=outcome.seconds, queue=contract.SUBMIT_QUEUE, **options)
    task.report(outcomes.of_submission(outcome))
