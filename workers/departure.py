"""How a worker leaves: it hands back what it has not begun, finishes what it has, and is gone when its time is up.

Left to itself Celery keeps the messages that wait for their time until its last task has ended, and waits for that one
however long it takes, since a thread cannot be stopped; by SIGQUIT (or with REMAP_SIGTERM) it fails at stopping it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
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
        left = {*state.reserved_requests, *state.active_requests}
        # What a task has claimed in the ledger stays claimed until its lease ends; then another worker carries on.
        log.warning("shutdown timeout reached, running tasks handed back", tasks=len(left))
        # On a connection of its own: the worker's belongs to its main thread.
        with self._app.connection_for_write() as connection:
            try:
                hand_back(connection.channel(), left)
            except (*connection.connection_errors, *connection.channel_errors) as error:
                log.warning("not handed back, left to the sweep", why=str(error))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


class HandBack(bootsteps.StartStopStep):
    """Gives what the worker holds and has not begun to the others, as soon as it takes no more."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    held: frozenset[Request] | None = None
    """None while nobody has asked the worker to stop: steps are stopped when a connection is lost, too."""

    @classmethod
    def remember(cls) -> None:
        """Note what is held, when the worker is asked to stop: Celery forgets it as soon as it closes."""
        cls.held = frozenset((*state.scheduled_requests, *state.reserved_requests))

    def stop(self, consumer: Any) -> None:
        """Hand back, in the worker's main thread, which takes no more; the tasks still run."""
        if self.held is None:
            return
        channel = consumer.task_consumer.channel
        try:
            # First, or what is handed back might come here once more.
            channel.end_taking()
            hand_back(channel, (one for one in self.held if one not in state.active_requests and not one.acknowledged))
        except consumer.connection_errors as error:
            log.warning("not handed back, left to the sweep", why=str(error))


def hand_back(channel: Any, requests: Iterable[Request]) -> None:
    """Put messages back into their queues, as unacknowledged; one that was acknowledged meanwhile is passed over."""
    for request in requests:
        channel.qos.restore_by_tag(request.message.delivery_tag)


def mean_the_same(sender: str) -> None:
    """Have SIGTERM and SIGQUIT both ask the worker to finish and end with exit code 0; called in the main thread.

    Both announce it by the signal `worker_shutting_down`, as Celery's own handlers do.
    """

    def stop(*_: Any) -> None:
        signals.worker_shutting_down.send(sender=sender, sig="SIGTERM", how="Warm", exitcode=platforms.EX_OK)
        state.should_stop = platforms.EX_OK

    for name in ("SIGTERM", "SIGQUIT"):
        platforms.signals[name] = stop
