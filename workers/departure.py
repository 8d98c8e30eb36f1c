"""How a worker leaves: it hands back what it has not begun, finishes what it has, and is gone when its time is up.

Left to itself Celery keeps the messages that wait for their time until its last task has ended, and waits for that one
however long it takes, since a thread cannot be stopped; by SIGQUIT (or with REMAP_SIGTERM) it fails at stopping it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog
from celery import Celery, platforms, signals
from celery.worker import state
from celery.worker.request import Request

log = structlog.get_logger(__name__)

_LAST_BRPOP = 1.2
"""Seconds within which the last BRPOP of a worker that takes no more has ended (kombu waits 1 s in each)."""


class Departure(threading.Thread):
    """Runs from the moment the worker was asked to stop; running tasks are waited for at most `timeout` seconds."""

    def __init__(self, app: Celery, *, timeout: float) -> None:
        super().__init__(name="departure", daemon=True)
        self._app, self._until = app, time.monotonic() + timeout

    def run(self) -> None:
        """Hand back what waits; Celery ends the process after the last task, or this does when the time is up."""
        # Until then the worker's own last BRPOP might take what is handed back.
        time.sleep(min(_LAST_BRPOP, max(0.0, self._until - time.monotonic())))
        self._hand_back([request for request in _held() if request not in state.active_requests])
        time.sleep(max(0.0, self._until - time.monotonic()))
        left = _held()
        # What a task has claimed in the ledger stays claimed until its lease ends; then another worker carries on.
        log.warning("shutdown timeout reached, running tasks handed back", tasks=len(left))
        self._hand_back(left)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def _hand_back(self, requests: Sequence[Request]) -> None:
        if not requests:
            return
        # On a connection of its own: the worker's belongs to its main thread. Should a message be worked here after
        # all, it is worked twice, and the ledger lets it count once.
        with self._app.connection_for_write() as connection:
            try:
                for request in requests:
                    connection.default_channel.qos.restore_by_tag(request.message.delivery_tag)
            except connection.connection_errors as error:
                log.warning("messages not handed back, left to the sweep", messages=len(requests), why=str(error))


def _held() -> list[Request]:
    """Return every message that this worker has taken and not acknowledged."""
    return list({*state.scheduled_requests, *state.requests.values()})


def mean_the_same(sender: str) -> None:
    """Have SIGTERM and SIGQUIT both ask the worker to finish and end with exit code 0; called in the main thread.

    Both announce it by the signal `worker_shutting_down`, as Celery's own handlers do.
    """

    def stop(*_: Any) -> None:
        signals.worker_shutting_down.send(sender=sender, sig="SIGTERM", how="Warm", exitcode=platforms.EX_OK)
        state.should_stop = platforms.EX_OK

    for name in ("SIGTERM", "SIGQUIT"):
        platforms.signals[name] = stop
