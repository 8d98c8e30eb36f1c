"""kombu's Redis transport, with two things that a worker needs when Redis goes away, and when it goes away itself.

When Redis goes away, Celery closes its connection twice, and tasks that end later still acknowledge on its channel.
Both look for the address of a connection that is gone, and the AttributeError that this raises (kombu 5.7.0) ends the
worker, if a task was running. A connection error, which it is, is passed over, and the worker waits for Redis.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """A channel that says in a way that Celery understands that its connection was closed, and that can end taking."""

    _in_poll: Any

    def end_taking(self) -> None:
        """Wait for the BRPOP under way (up to 1 s), and put back what it still brings.

        A worker that is leaving would keep it unread until its last task has ended. Raises a connection error.
        """
        if not self._in_poll:
            return
        taken = self.client.parse_response(self.client.connection, "BRPOP")
        self._in_poll = None
        if taken:
            key, message = taken
            with self.conn_or_acquire() as client:
                client.rpush(key, message)

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
