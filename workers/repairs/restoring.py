"""Only a channel that takes messages and acks them restores the messages of dead workers.

kombu restores on every channel that reads a list, also on those of Flower and of commands that only wait for answers of
workers. So each of these processes would need to read and write all messages in work, scripts included. Workers do it
anyway. No upstream issue was found.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis

from workers.repairs.repair import KOMBU, Repair


class Channel(redis.Channel):
    """A channel that knows whether it has messages to ack."""

    acks = False

    def basic_consume(self, queue: Any, no_ack: Any, *args: Any, **options: Any) -> Any:
        """Consume from a queue."""
        self.acks = self.acks or not no_ack
        return super().basic_consume(queue, no_ack, *args, **options)

    def basic_get(self, queue: Any, no_ack: Any = False, **options: Any) -> Any:
        """Take one message."""
        self.acks = self.acks or not no_ack
        return super().basic_get(queue, no_ack, **options)


class QoS(redis.QoS):
    """Leaves restoring to channels that take messages."""

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Restore messages that a worker took longer ago than the visibility timeout."""
        if self.channel.acks:
            super().restore_visible(*args, **options)


REPAIR = Repair(
    name="restoring",
    promise="Flower and the command line need no access to the messages in work",
    needs=KOMBU,
    touches=(
        "kombu.transport.redis:Channel.basic_consume",
        "kombu.transport.redis:Channel.basic_get",
        "kombu.transport.redis:QoS.restore_visible",
    ),
    channel=Channel,
    qos=QoS,
)
