"""`renderline.hook`: one link of the chain that a finished render starts."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import Ignore

from renderline import contract
from renderline.delivery import Elsewhere, TryLater
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask


@shared_task(name=contract.HOOK, bind=True, base=RenderlineTask)
def hook(self: RenderlineTask, render_id: str, index: int) -> None:
    """Run the hook at `index` (from 0) if it is its turn; the next link follows once this one is settled."""
    match self.services.deliverer.deliver(render_id, index):
        case TryLater(seconds, _) if seconds <= LONGEST_COUNTDOWN:
            raise self.retry(countdown=seconds)
        case TryLater() | Elsewhere():
            # Ends this copy of the chain: the sweep, or the worker that has the claim, carries it on.
            raise Ignore
