"""Acknowledgements that ride along: kombu spends two transactions on every message, here it is one step and a share.

A taken message has to be noted before its task runs. That it is done may be said a moment later: a worker that dies in
between costs a second delivery, and every task asks the ledger first, so that one changes nothing.
"""

from __future__ import annotations

from collections import deque
from time import time
from typing import Any

from celery import bootsteps
from kombu.transport import redis, virtual
from kombu.utils.json import dumps

from workers import guarded

EVERY = 0.1
"""Seconds after which an acknowledgement goes out by itself, if no new message took it along."""

_AT_MOST = 50

# KEYS: index, messages. ARGV: tag, message, then the tags that are done
_NOTE = """
redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
if #ARGV > 2 then
  redis.call('ZREM', KEYS[1], unpack(ARGV, 3))
  redis.call('HDEL', KEYS[2], unpack(ARGV, 3))
end
"""
# KEYS: index, messages. ARGV: the tags that are done
_DONE = "redis.call('ZREM', KEYS[1], unpack(ARGV)) redis.call('HDEL', KEYS[2], unpack(ARGV))"


class QoS(redis.QoS):
    """Keeps account of the messages that a worker took. While `gathers`, somebody calls `settle` now and then."""

    gathers = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._done: deque[str] = deque()
        self._note: Any = None
        self._settle: Any = None

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message that was just taken: others get it if this worker never acknowledges it."""
        where = message.delivery_info
        kept = dumps([message._raw, where["exchange"], where["routing_key"]])
        with self.channel.conn_or_acquire() as client:
            self._note = self._note or client.register_script(_NOTE)
            self._note(keys=self._keys(), args=[delivery_tag, kept, *self._take()], client=client)
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Take note that a message is done. Called by any thread."""
        self._done.append(delivery_tag)
        if not self.gathers or len(self._done) >= _AT_MOST:
            self.settle()
        virtual.QoS.ack(self, delivery_tag)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Hand on what others took too long ago: by the server's clock, which noted it, not by this machine's."""
        with self.channel.conn_or_acquire() as client:
            ahead = time() - client.time()[0]
        self.visibility_timeout = self.channel.visibility_timeout + ahead
        super().restore_visible(*args, **options)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put a message back into its queue; what is no message goes into quarantine instead of ending this worker."""
        with self.channel.conn_or_acquire(client) as asking:
            raw = asking.hget(self.unacked_key, tag)
            if raw and (reason := guarded.restorable(raw)):
                self.channel.set_aside(raw, self.unacked_key, reason)
                self._remove_from_indices(tag).execute()
                return
        super().restore_by_tag(tag, client=client, leftmost=leftmost)

    def settle(self) -> None:
        """Tell the broker what is done."""
        tags = self._take()
        if tags:
            with self.channel.conn_or_acquire() as client:
                self._settle = self._settle or client.register_script(_DONE)
                self._settle(keys=self._keys(), args=tags, client=client)

    def _keys(self) -> list[str]:
        return [self.unacked_index_key, self.unacked_key]

    def _take(self) -> list[str]:
        tags: list[str] = []
        while self._done and len(tags) < 2 * _AT_MOST:
            try:
                tags.append(self._done.popleft())
            except IndexError:
                break  # another thread was faster
        return tags


class Acknowledging(bootsteps.StartStopStep):
    """Has the acknowledgements of a worker gathered while it runs."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None
        self._qos: QoS | None = None

    def start(self, consumer: Any) -> None:
        """Begin; without an event loop every acknowledgement goes out at once, as it does by default."""
        if consumer.hub is None:
            return
        self._qos = consumer.task_consumer.channel.qos
        self._timer = consumer.hub.call_repeatedly(EVERY, self._qos.settle)
        self._qos.gathers = True

    def stop(self, consumer: Any) -> None:
        """Send what is left, if the connection is still there."""
        if self._qos is None:
            return
        self._timer.cancel()
        qos, self._qos = self._qos, None
        qos.gathers = False
        try:
            qos.settle()
        except consumer.connection_errors:
            return  # delivered again, and found done
