"""A closed connection raises a connection error, for which Celery waits, instead of an AttributeError.

Celery closes its broker connection twice when Redis goes away, and a task that ends later still acks on its channel.
kombu then reads the address of a connection that is gone: `'NoneType' object has no attribute 'hostname'`. If a task
was running, that ends the worker. Answers celery/kombu#582 (closed; the error is still there in kombu 5.7.0).
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis

from workers.repairs.repair import KOMBU, Repair


class Channel(redis.Channel):
    """A channel that raises ConnectionError once its connection is closed."""

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("the connection of this channel was closed")
        return super()._connparams(asynchronous=asynchronous)


REPAIR = Repair(
    name="closed connection",
    promise="a worker that runs a task survives a restart of Redis",
    answers=("celery/kombu#582",),
    needs=KOMBU,
    touches=("kombu.transport.redis:Channel._connparams",),
    channel=Channel,
)
