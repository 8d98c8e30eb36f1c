"""Acks are sent in batches: with the next message that is noted, or after 0.1 s. Saves time.

kombu sends a transaction for each ack, and waits for its answer. A worker that is killed before it has sent a batch
causes a second delivery of those messages, which changes nothing: every task asks the ledger first. A message is still
noted as unacked before its task runs. No upstream issue was found.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from celery import bootsteps
from kombu.transport import virtual

from workers.repairs import server_clock
from workers.repairs.repair import CELERY, KOMBU, Repair

EVERY = 0.1
"""Seconds after which acks are sent if no new message took them along."""

_MOST = 50

# KEYS: index, messages. ARGV: the acked tags.
_ACKED = "redis.call('ZREM', KEYS[1], unpack(ARGV)) redis.call('HDEL', KEYS[2], unpack(ARGV))"


class QoS(server_clock.QoS):
    """Collects acks while `batching` is on. The code that turns it on calls `flush_acks` from time to time."""

    batching = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._acked: deque[str] = deque()
        self._acked_script: Any = None

    def ack(self, delivery_tag: str) -> None:
        """Ack a message. Called by any thread."""
        self._acked.append(delivery_tag)
        if not self.batching or len(self._acked) >= _MOST:
            self.flush_acks()
        virtual.QoS.ack(self, delivery_tag)

    def flush_acks(self) -> None:
        """Send the collected acks."""
        tags = self.take_acked()
        if tags:
            with self.channel.conn_or_acquire() as client:
                self._acked_script = self._acked_script or client.register_script(_ACKED)
                self._acked_script(keys=[self.unacked_index_key, self.unacked_key], args=tags, client=client)

    def take_acked(self) -> list[str]:
        """Return collected acks, which the caller has to send now."""
        tags: list[str] = []
        while self._acked and len(tags) < 2 * _MOST:
            try:
                tags.append(self._acked.popleft())
            except IndexError:
                break  # another thread was faster
        return tags


class AckBatching(bootsteps.StartStopStep):
    """Batches the acks of a worker while it consumes."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None
        self._qos: QoS | None = None

    def start(self, consumer: Any) -> None:
        """Start batching; without an event loop every ack is sent at once, as by default."""
        if consumer.hub is None:
            return
        self._qos = consumer.task_consumer.channel.qos
        self._timer = consumer.hub.call_repeatedly(EVERY, self._qos.flush_acks)
        self._qos.batching = True

    def stop(self, consumer: Any) -> None:
        """Send the remaining acks if the connection is still there."""
        if self._qos is None:
            return
        self._timer.cancel()
        qos, self._qos = self._qos, None
        qos.batching = False
        try:
            qos.flush_acks()
        except consumer.connection_errors:
            return  # delivered again, and found done


REPAIR = Repair(
    name="ack batching",
    needs={**KOMBU, **CELERY},
    touches=(
        "kombu.transport.redis:QoS.ack",
        "kombu.transport.redis:QoS.unacked_key",
        "kombu.transport.redis:QoS.unacked_index_key",
        "kombu.transport.redis:Channel.conn_or_acquire",
    ),
    qos=QoS,
    step=AckBatching,
)
