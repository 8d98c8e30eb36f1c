"""Messages that wait for their time: Celery compares the sender's clock with the receiver's, we both with the server's.

`app.now()`, from which Celery makes a message's ETA, is the Redis server's time; here the ETA that comes in is turned
into this machine's. So a worker whose clock is wrong sends and receives messages on time all the same.
"""

from __future__ import annotations

from datetime import timedelta

from celery.worker.request import Request


class TimedRequest(Request):
    """A task message whose ETA is by the server's clock."""

    def __init__(self, message, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__(message, **options)
        if self._eta is None:
            return
        clock = getattr(self._app, "server_clock", None)
        if clock is not None:
            self._eta += timedelta(seconds=clock.skew())
