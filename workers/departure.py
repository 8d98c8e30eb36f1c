"""How a worker leaves: it hands back what it has not begun, finishes what it has, and is gone when its time is up.

Left to itself Celery keeps the messages that wait for their time until its last task has ended, and waits for that one
however long it takes, since a thread cannot be stopped; by SIGQUIT (or with REMAP_SIGTERM) it fails at stopping it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

import structlog
from celery import Celery, bootsteps, platforms, signals
from celery.worker import state
from celery.worker.request import Request

log = structlog.get_logger(__name__)


class Departure(threading.Thread):
    """Runs from the moment the worker was asked to stop; running tasks are waited for at most `timeout` seconds."""

    def __init__(self, app: Celery, *, timeout: float) -> None:
        super().__init__(name="departure", daemon=True)
        self._app, self._timeout = app, timeout

    def run(self) -> None:
        """Wait for the end of the process, which follows that of the last task, or end it when the time is up."""
        time.sleep(self._timeout)
        try:
            self._hand_back({*state.reserved_requests, *state.active_requests})
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _hand_back(self, left: set[Request]) -> None:
        # What a task has claimed in the ledger stays claimed until its lease ends; then another worker carries on.
        log.warning("shutdown timeout reached, running tasks handed back", tasks=len(left))
        # On a connection of its own: the worker's belongs to its main thread.
        with self._app.connection_for_write() as connection:
            try:
                channel = connection.channel()
                for request in left:
                    channel.qos.restore_by_tag(request.message.delivery_tag)
            except (*connection.connection_errors, *connection.channel_errors) as error:
                log.warning("not handed back, left to the sweep", why=str(error))


class HandBack(bootsteps.StartStopStep):
    """Gives what the worker holds and has not begun to the others, as soon as it takes no more."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def stop(self, consumer: Any) -> None:
        """Hand back, in the worker's main thread, while the tasks still run."""
        # Steps are stopped when a connection was lost, too; there is nothing to hand back over that.
        if state.should_stop is None:
            return
        running = {request.message.delivery_tag for request in state.active_requests}
        try:
            consumer.task_consumer.channel.hand_back(but=running)
        except consumer.connection_errors as error:
            log.warning("not handed back, left to the sweep", why=str(error))


def mean_the_same(sender: str) -> None:
    """Have SIGTERM and SIGQUIT both ask the worker to finish and end with exit code 0; called in the main thread.

    Both announce it by the signal `worker_shutting_down`, as Celery's own handlers do.
    """

    def stop(*_: Any) -> None:
        signals.worker_shutting_down.send(sender=sender, sig="SIGTERM", how="Warm", exitcode=platforms.EX_OK)
        state.should_stop = platforms.EX_OK

    for name in ("SIGTERM", "SIGQUIT"):
        platforms.signals[name] = stop
