"""`renderline.poll`: poll a batch of due renders, then retry for the next ones that fall due."""

from __future__ import annotations

from celery import shared_task

from renderline import contract
from renderline.polling.tally import Tally
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask
from tasks.run_report import Ending


@shared_task(name=contract.POLL, bind=True, base=RenderlineTask)
def poll(self: RenderlineTask, account: str, slot: int, ticket: int) -> str:
    """Run one poll pump of an account; "still rendering" is a retry with a new ticket, never a failure."""
    tally = Tally()
    next_run = self.services.poller.run(account, slot=slot, ticket=ticket, tally=tally)
    text = self.report(Ending(str(tally)))
    if next_run:
        raise self.retry(args=(account, slot, next_run.ticket), countdown=min(next_run.delay, LONGEST_COUNTDOWN))
    return text
