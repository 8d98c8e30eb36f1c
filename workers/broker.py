"""kombu's Redis transport, with a closed channel that says so in a way that Celery understands.

When Redis goes away, Celery closes its connection twice, and tasks that end later still acknowledge on its channel.
Both look for the address of a connection that is gone, and the AttributeError that this raises (kombu 5.7.0) ends the
worker, if a task was running. A connection error, which it is, is passed over, and the worker waits for Redis.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """A channel that cannot be used after its connection was closed."""

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("the connection of this channel was closed")
        return super()._connparams(asynchronous=asynchronous)


class Transport(redis.Transport):
    """The transport behind redis:// and rediss:// once it is installed."""

    Channel = Channel


def install() -> None:
    """Use it in this process. By the scheme: the `broker_transport` setting would drop the TLS of rediss://."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
