"""A worker that is asked to stop requeues at once what it has not started. Saves time.

Left to itself, Celery keeps messages that wait for their ETA until its last task has ended, and kombu keeps what its
last BRPOP brings. Without this repair those messages wait for the end of the worker, or for the visibility timeout.
Answers celery/celery#4354, celery/celery#7950 and celery/kombu#533 (all open).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state
from kombu.transport import redis

from workers.repairs.repair import CELERY, KOMBU, Repair

log = structlog.get_logger(__name__)


class QoS(redis.QoS):
    """Declares what `Channel.requeue` asks for."""

    def flush_acks(self) -> None:
        """Send the acks that were not sent yet; kombu sends every ack at once."""


class Channel(redis.Channel):
    """A channel that can requeue what it has taken."""

    _in_poll: Any

    def requeue(self, *, but: Collection[str]) -> None:
        """Take nothing more and requeue every unacked message, except those with the tags `but`.

        Raises a connection error.
        """
        if self._in_poll:
            taken = self.client.parse_response(self.client.connection, "BRPOP")
            self._in_poll = None
            if taken:
                key, message = taken
                with self.conn_or_acquire() as client:
                    client.rpush(key, message)
        # Acked messages must not be requeued.
        self.qos.flush_acks()
        for tag in set(self.qos._delivered).difference(but):
            self.qos.restore_by_tag(tag)


class RequeueOnStop(bootsteps.StartStopStep):
    """Requeues the messages that the worker holds and has not started, once it takes no more."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def stop(self, consumer: Any) -> None:
        """Requeue in the worker's main thread, while tasks still run."""
        # Steps also stop after a lost connection, over which nothing can be requeued.
        if state.should_stop is None:
            return
        running = {request.message.delivery_tag for request in state.active_requests}
        try:
            consumer.task_consumer.channel.requeue(but=running)
        except consumer.connection_errors as error:
            log.warning("messages not requeued, left to the sweep", why=str(error))


REPAIR = Repair(
    name="requeue at shutdown",
    answers=("celery/celery#4354", "celery/celery#7950", "celery/kombu#533"),
    needs={**KOMBU, **CELERY},
    touches=(
        "kombu.transport.redis:Channel._in_poll",
        "kombu.transport.redis:QoS._delivered",
        "kombu.transport.redis:QoS.restore_by_tag",
        "celery.worker.state.should_stop",
        "celery.worker.state.active_requests",
    ),
    channel=Channel,
    qos=QoS,
    step=RequeueOnStop,
)
