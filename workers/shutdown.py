"""How a worker stops: it finishes its running tasks, and ends when its time is up.

Celery waits for the last task without a limit, since a thread cannot be stopped. On SIGQUIT (or with REMAP_SIGTERM) it
tries to stop threads, and fails. `workers/repairs/requeue.py` requeues the messages that were not started.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

import structlog
from celery import Celery, platforms, signals
from celery.worker import state
from celery.worker.request import Request

log = structlog.get_logger(__name__)


class ShutdownTimer(threading.Thread):
    """Ends the process with `exit_code` `timeout` seconds after it was asked to, unless its last task ends before."""

    def __init__(self, app: Celery, *, timeout: float, exit_code: int = platforms.EX_OK) -> None:
        super().__init__(name="shutdown", daemon=True)
        self._app, self._timeout, self._exit_code = app, timeout, exit_code

    def run(self) -> None:
        """Wait, then requeue what still runs and end the process."""
        time.sleep(self._timeout)
        try:
            self._requeue({*state.reserved_requests, *state.active_requests})
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._exit_code)

    def _requeue(self, left: set[Request]) -> None:
        # Claims of the task in the ledger hold until their lease ends; then another worker goes on.
        log.warning("shutdown timeout reached, running tasks requeued", tasks=len(left))
        # Over a connection of its own: the worker's belongs to its main thread.
        with self._app.connection_for_write() as connection:
            try:
                channel = connection.channel()
                for request in left:
                    channel.qos.restore_by_tag(request.message.delivery_tag)
            except (*connection.connection_errors, *connection.channel_errors) as error:
                log.warning("tasks not requeued, left to the sweep", why=str(error))


def unify_signals(sender: str) -> None:
    """Make SIGTERM and SIGQUIT both ask for a warm shutdown with exit code 0. Call it in the main thread.

    Both announce it by the signal `worker_shutting_down`, as Celery's own handlers do.
    """

    def stop(*_: Any) -> None:
        signals.worker_shutting_down.send(sender=sender, sig="SIGTERM", how="Warm", exitcode=platforms.EX_OK)
        state.should_stop = platforms.EX_OK

    for name in ("SIGTERM", "SIGQUIT"):
        platforms.signals[name] = stop
