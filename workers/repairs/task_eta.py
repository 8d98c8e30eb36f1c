"""The ETA of a message is by the Redis server's clock, so that workers with wrong clocks run it on time.

Celery compares the producer's clock with the worker's. `app.now()`, from which it makes an ETA, is the server's time
here, and this repair turns an ETA that comes in into local time. No upstream issue was found.
"""

from __future__ import annotations

from datetime import timedelta

from celery.worker.request import Request

from workers.repairs.repair import CELERY, Repair


class EtaRequest(Request):
    """A task message whose ETA is by the server's clock."""

    def __init__(self, message, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__(message, **options)
        if self._eta is None:
            return
        clock = getattr(self._app, "server_clock", None)
        if clock is not None:
            self._eta += timedelta(seconds=clock.skew())


REPAIR = Repair(
    name="task ETA",
    promise="messages with a countdown run on time on a machine whose clock is wrong",
    needs=CELERY,
    touches=("celery.worker.request:Request._eta", "celery.worker.request:Request._app"),
    request=EtaRequest,
)
