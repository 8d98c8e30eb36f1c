"""Task events are sent in batches, four times a second. Saves time.

Celery's worker publishes every task event by itself as soon as the thread pool is used, which takes a fifth of its CPU
time. Readers of events understand batches. No upstream issue asks for this; celery/celery#10434 (closed) mends how the
dispatcher buffers events under the threads pool.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from workers.repairs.repair import CELERY, Repair

EVERY = 0.25
"""Seconds between batches: how much later Flower shows an event."""

_MOST = 200


class EventBatching(bootsteps.StartStopStep):
    """Flushes the event dispatcher on a timer instead of after each event."""

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Change the dispatcher that was just made; without an event loop it stays as it is."""
        if consumer.hub is None or consumer.event_dispatcher is None:
            return
        consumer.event_dispatcher.on_send_buffered = None
        consumer.event_dispatcher.buffer_limit = _MOST
        self._timer = consumer.hub.call_repeatedly(EVERY, self._flush, consumer)

    def stop(self, consumer: Any) -> None:
        """Send the remaining events if the connection is still there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            try:
                self._flush(consumer)
            except consumer.connection_errors:
                return  # the dispatcher keeps them, and the next one sends them

    @staticmethod
    def _flush(consumer: Any) -> None:
        if consumer.event_dispatcher is not None:
            consumer.event_dispatcher.flush()


REPAIR = Repair(
    name="event batching",
    needs=CELERY,
    touches=(
        "celery.events.dispatcher:EventDispatcher.flush",
        "celery.worker.consumer.events:Events.start",
    ),
    step=EventBatching,
)
