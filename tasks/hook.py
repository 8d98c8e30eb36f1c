"""`renderline.hook`: one hook of a finished render."""

from __future__ import annotations

from celery import shared_task

from renderline import contract
from renderline.retry import RetryIn
from tasks import outcomes
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask


@shared_task(name=contract.HOOK, bind=True, base=RenderlineTask)
def hook(self: RenderlineTask, render_id: str, index: int) -> str:
    """Run the hook at `index` (from 0) if it is its turn."""
    outcome = self.services.deliverer.deliver(render_id, index)
    text = self.report(outcomes.of_hook(index, outcome))
    if isinstance(outcome, RetryIn) and outcome.seconds <= LONGEST_COUNTDOWN:
        raise self.retry(countdown=outcome.seconds)
    # A hook that waits longer, or for its turn, is sent again by then.
    return text
