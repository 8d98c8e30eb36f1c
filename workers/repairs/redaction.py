"""The arguments of `renderline.request` are redacted in events, logs and Flower.

Celery shows the representation that the producer put into the message headers: whatever a foreign producer sent, with
scripts and texts. Here the worker decides. No upstream issue was found; Celery's guide leaves hiding to the producer.
"""

from __future__ import annotations

from celery.worker.request import Request

from renderline import contract
from workers.repairs.repair import CELERY, Repair

REDACTED = "<redacted>"


class RedactedRequest(Request):
    """A task message that shows ids, and never a request body."""

    def __init__(self, message, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__(message, **options)
        # By the task that runs, not by the name shown: a producer may give its message another one.
        if self._task.name != contract.REQUEST:
            return
        arguments = self._request_dict["kwargs"]
        key = arguments.get("key") if isinstance(arguments, dict) else None
        shown = f"{{'request': {REDACTED!r}, 'key': {key!r}}}"
        self._argsrepr, self._kwargsrepr = "()", shown
        for headers in (self._request_dict, self.message.headers):
            headers["argsrepr"], headers["kwargsrepr"] = "()", shown


REPAIR = Repair(
    name="redaction",
    promise="scripts and texts of requests appear in no event, log or Flower page",
    needs=CELERY,
    touches=(
        "celery.worker.request:Request._task",
        "celery.worker.request:Request._request_dict",
        "celery.worker.request:Request._argsrepr",
        "celery.worker.request:Request._kwargsrepr",
    ),
    request=RedactedRequest,
)
