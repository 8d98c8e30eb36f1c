"""Task events in batches: Celery's own worker publishes each one by itself, which takes a fifth of its CPU time."""

from __future__ import annotations

from typing import Any

from celery import bootsteps

EVERY = 0.25
"""Seconds between batches: how much later Flower shows what happened."""

_AT_MOST = 200


class Batches(bootsteps.StartStopStep):
    """Sends what the tasks have told as one message four times a second; whoever reads events reads these as well."""

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Take over from the dispatcher that was just made; without an event loop it goes on as it is."""
        if consumer.hub is None or consumer.event_dispatcher is None:
            return
        consumer.event_dispatcher.on_send_buffered = None
        consumer.event_dispatcher.buffer_limit = _AT_MOST
        self._timer = consumer.hub.call_repeatedly(EVERY, self._flush, consumer)

    def stop(self, consumer: Any) -> None:
        """Send the rest, if the connection is still there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            try:
                self._flush(consumer)
            except consumer.connection_errors:
                return  # kept by the dispatcher, and sent by the next one

    @staticmethod
    def _flush(consumer: Any) -> None:
        if consumer.event_dispatcher is not None:
            consumer.event_dispatcher.flush()
