"""A worker asks for its queues in the order of `workers/queue_order.py`, not in kombu's.

kombu asks for one priority of all queues, then for the next. Hooks and requests have priority 0, so a flood of them
would starve submissions of normal priority. Answers celery/celery#8673 (open) and celery/kombu#166 (closed): the
strategies that kombu offers order queues or priorities, never both.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from kombu.transport import redis

from workers import queue_order
from workers.repairs.repair import KOMBU, Repair


class Channel(redis.Channel):
    """A channel that sends BRPOP with our order of queues and priorities."""

    _in_poll: Any
    _brpop_sent_at: Any
    _turn = 0

    def _brpop_start(self, timeout: Any = None) -> None:
        """Ask for the next message as kombu does, except for the order."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        lanes = queue_order.lanes(queues, self.priority_steps, turn=self._turn)
        self._turn += 1
        wait = self.brpop_timeout if timeout is None else timeout
        command = ["BRPOP", *(self._q_for_pri(*lane) for lane in lanes), wait or 0]
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        if self.global_keyprefix:
            command = self.client._prefix_args(command)
        self.client.connection.send_command(*command)


REPAIR = Repair(
    name="queue order",
    promise="a flood in one queue starves no other queue",
    answers=("celery/celery#8673", "celery/kombu#166"),
    needs=KOMBU,
    touches=(
        "kombu.transport.redis:Channel._brpop_start",
        "kombu.transport.redis:Channel._in_poll",
        "kombu.transport.redis:Channel._brpop_sent_at",
        "kombu.transport.redis:Channel._q_for_pri",
        "kombu.transport.redis:PrefixedStrictRedis._prefix_args",
    ),
    channel=Channel,
)
