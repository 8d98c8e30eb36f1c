"""Unacked messages are noted, and restored after the visibility timeout, by the Redis server's clock.

kombu notes a taken message with the local time of the worker that took it, and compares that with the local time of
the worker that restores it. If one of the clocks is wrong, running tasks are delivered twice or lost ones come late.
No upstream issue was found; celery/kombu#337 describes the mechanism.
"""

from __future__ import annotations

from time import time
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.json import dumps

from workers.repairs.repair import KOMBU, Repair

# KEYS: index, messages. ARGV: tag, message, then the acked tags that go along with it.
_NOTE = """
redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
if #ARGV > 2 then
  redis.call('ZREM', KEYS[1], unpack(ARGV, 3))
  redis.call('HDEL', KEYS[2], unpack(ARGV, 3))
end
"""


class QoS(redis.QoS):
    """Notes and restores messages by the server's clock."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._note: Any = None

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message that was just taken: another worker gets it if this one never acks it."""
        where = message.delivery_info
        noted = dumps([message._raw, where["exchange"], where["routing_key"]])
        with self.channel.conn_or_acquire() as client:
            self._note = self._note or client.register_script(_NOTE)
            keys = [self.unacked_index_key, self.unacked_key]
            self._note(keys=keys, args=[delivery_tag, noted, *self.take_acked()], client=client)
        virtual.QoS.append(self, message, delivery_tag)

    def take_acked(self) -> list[str]:
        """Return the acked tags to send along; none here, where every ack is sent at once."""
        return []

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Restore messages that a worker took longer ago than the visibility timeout."""
        with self.channel.conn_or_acquire() as client:
            ahead = time() - client.time()[0]
        self.visibility_timeout = self.channel.visibility_timeout + ahead
        super().restore_visible(*args, **options)


REPAIR = Repair(
    name="server clock",
    promise="a worker with a wrong clock does not take running tasks from others",
    needs=KOMBU,
    touches=(
        "kombu.transport.redis:QoS.append",
        "kombu.transport.redis:QoS.restore_visible",
        "kombu.transport.redis:QoS.visibility_timeout",
        "kombu.transport.redis:QoS.unacked_key",
        "kombu.transport.redis:QoS.unacked_index_key",
        "kombu.transport.redis:Channel.conn_or_acquire",
    ),
    qos=QoS,
)
