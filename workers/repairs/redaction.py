"""Events, logs, Flower and the answers of `inspect` show ids, and nothing else of what a message holds.

Celery shows what the producer wrote into the headers: another name for the task, and a representation of its arguments,
which may hold scripts and texts. `inspect` shows the arguments themselves. Here the worker decides. No upstream issue
was found; Celery's guide leaves hiding to the producer.
"""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from renderline import contract
from workers.repairs.repair import CELERY, Repair

REDACTED = "<redacted>"


class RedactedRequest(Request):
    """A task message that shows ids, and never a request body."""

    def __init__(self, message, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__(message, **options)
        self.name = self._task.name
        args, kwargs = shown(self._task.name, self._args, self._kwargs)
        self._argsrepr, self._kwargsrepr = repr(args), repr(kwargs)
        for headers in (self._request_dict, self.message.headers):
            headers["argsrepr"], headers["kwargsrepr"] = self._argsrepr, self._kwargsrepr
            headers["shadow"] = None

    def info(self, safe: bool = False) -> dict[str, Any]:
        """Return what `inspect` shows, whether or not it asks for the arguments themselves."""
        return dict(super().info(safe=True))


def shown(task: str, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], Any]:
    """Return what is shown of a task's arguments: ids, except for a request's."""
    if task != contract.REQUEST:
        return tuple(args), kwargs
    key = kwargs.get("key") if isinstance(kwargs, dict) else None
    return (), {"request": REDACTED, "key": key if key is None or not contract.key_error(key) else "<invalid>"}


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
