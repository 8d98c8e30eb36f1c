"""`renderline.hook`: one hook of a finished render."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import Ignore

from renderline import contract
from renderline.hooks.outcome import NotMyTurn
from renderline.retry import RetryIn
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask


@shared_task(name=contract.HOOK, bind=True, base=RenderlineTask)
def hook(self: RenderlineTask, render_id: str, index: int) -> None:
    """Run the hook at `index` (from 0) if it is its turn."""
    match self.services.deliverer.deliver(render_id, index):
        case RetryIn(seconds, _) if seconds <= LONGEST_COUNTDOWN:
            raise self.retry(countdown=seconds)
        case RetryIn() | NotMyTurn():
            # It is sent again when its time or its turn comes.
            raise Ignore
