"""`renderline.submit`: start a render at the vendor, or come back later."""

from __future__ import annotations

import structlog
from celery import shared_task

from renderline import contract
from renderline.submission import Refused, Submitted, TryAgain
from tasks.base import LONGEST_COUNTDOWN, RenderlineTask

log = structlog.get_logger(__name__)


@shared_task(name=contract.SUBMIT, bind=True, base=RenderlineTask)
def submit(self: RenderlineTask, render_id: str) -> None:
    """Submit a render if it is its turn."""
    outcome = self.services.submitter.submit(render_id)
    match outcome:
        case Submitted(kick):
            log.info("submitted", render_id=render_id)
            if kick:
                self.services.dispatcher.poll(kick)
        case Refused():
            self.services.dispatcher.hooks(render_id)
        case TryAgain(seconds, _) if seconds <= LONGEST_COUNTDOWN:
            raise self.retry(countdown=seconds)
