"""A channel keeps one Redis client instead of making one for every command. Saves time.

kombu makes a client for every message that it notes, acks or sends, and redis-py builds a table of some 150 commands
for each: a tenth of a worker's CPU time. All clients of one connection pool are alike, so they can be shared.
No upstream issue was found.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis

from workers.repairs.repair import KOMBU, Repair


class Channel(redis.Channel):
    """A channel with one client for its connection pool."""

    _shared_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._shared_client is None or self._shared_client.connection_pool is not self.pool:
            self._shared_client = super()._create_client()
        return self._shared_client


REPAIR = Repair(
    name="shared client",
    needs=KOMBU,
    touches=("kombu.transport.redis:Channel._create_client", "kombu.transport.redis:Channel.pool"),
    channel=Channel,
)
