"""Connections to the broker and the result backend leave a Redis server that was demoted.

A demoted server answers READONLY on connections that stay open. redis-py keeps such a connection, and Celery asks it
again and again. Here the connection is closed, so that the next one reaches the new primary. Answers
celery/celery#7946 (closed: `broker_channel_error_retry` retries, but on the same connection).
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis

from renderline.ledger.failover import LeavingConnection, LeavingSSLConnection, connection_class
from workers.repairs import address
from workers.repairs.repair import CELERY, KOMBU, Repair


class Channel(redis.Channel):
    """A channel whose connections leave a demoted server."""

    connection_class = LeavingConnection
    connection_class_ssl = LeavingSSLConnection


class Backend(address.Backend):
    """The result backend, where `renderline.request` leaves the render id for its producer."""

    def _params_from_url(self, url: str, defaults: Any) -> Any:
        return {**super()._params_from_url(url, defaults), "connection_class": connection_class(url)}


REPAIR = Repair(
    name="failover",
    promise="workers and producers follow a Redis failover",
    answers=("celery/celery#7946",),
    needs={**KOMBU, **CELERY},
    touches=(
        "kombu.transport.redis:Channel.connection_class",
        "kombu.transport.redis:Channel.connection_class_ssl",
        "celery.backends.redis:RedisBackend._params_from_url",
    ),
    channel=Channel,
    result_backend=f"{__name__}:{Backend.__name__}",
)
