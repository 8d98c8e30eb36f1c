"""`renderline.request`: the Celery door. The result is the render id."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from redis import RedisError

from renderline import contract
from renderline.ledger import KeyConflict, QuotaExceeded
from renderline.requests import RequestRefused
from renderline.tenants import BROKER
from tasks.base import RenderlineTask
from tasks.run_report import Ending


@shared_task(
    name=contract.REQUEST,
    bind=True,
    base=RenderlineTask,
    ignore_result=False,
    throws=(RequestRefused, KeyConflict, QuotaExceeded),
    autoretry_for=(RedisError,),
    retry_backoff=1,
    retry_backoff_max=30,
)
def request(self: RenderlineTask, request: Any = None, key: str | None = None, request_id: str | None = None) -> str:
    """Accept a render request: validate, record and publish it. Returns the render id.

    `request_id` names the call that led to it; the message's header of that name does too. Otherwise it is the
    message's id.
    """
    known = _request_id(request_id, (self.request.headers or {}).get(contract.REQUEST_ID_HEADER), self.request.id)
    structlog.contextvars.bind_contextvars(request_id=known)
    about = {"message_id": self.request.id, "actor": BROKER, "request_id": known}
    try:
        render_id = self.services.acceptor.accept(request, key=key, **about)
    except self.throws as refused:
        self.report(Ending(f"refused: {refused}", failed=True))
        raise
    self.report(Ending(f"accepted: {render_id}"))
    return render_id


def _request_id(*given: Any) -> str | None:
    """Return the first of these that can be the id of a request."""
    return next((one for one in given if contract.request_id_error(one) is None), None)
