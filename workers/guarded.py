"""Taking messages off the broker: what is no task of ours is set aside before Celery sees it; nothing ends a worker.

As everywhere with Celery on Redis, a message that was taken is in this process's hands alone until it is noted, so a
worker that is killed within that millisecond takes it along. A Redis that is away is waited for with it in hand.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

import structlog
from kombu.exceptions import KombuError
from kombu.transport import redis
from kombu.transport.virtual import Empty
from redis import RedisError

from renderline import contract
from renderline.ledger.quarantine import Quarantine
from workers.messages import NotOurs, check_envelope, check_task, is_plain, read

log = structlog.get_logger(__name__)

# Not kombu's own list: to that every KeyError is a lost connection, also one that a message causes.
_BROKER_TROUBLE = (RedisError, OSError, KombuError)


class GuardedChannel(redis.Channel):
    """A channel that hands on only what Celery can act on."""

    connection_errors: tuple[type[Exception], ...]
    _in_poll: Any
    # Of the process, not of the channel: a new connection has a new one.
    _unwritten: ClassVar[deque[tuple[bytes, str, str]]] = deque(maxlen=1000)

    def _brpop_read(self, **options: Any) -> bool:
        try:
            try:
                taken = self.client.parse_response(self.client.connection, "BRPOP", **options)
            except self.connection_errors:
                self.client.connection.disconnect()
                raise
            if not taken:
                raise Empty
            key, raw = taken
            queue = _text(key).rsplit(self.sep, 1)[0]
            self._queue_cycle.rotate(queue)
            self._hand_on(raw, queue)
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _hand_on(self, raw: Any, queue: str) -> None:
        """Have the consumer of `queue` act on a message, or set it aside."""
        raw = raw if isinstance(raw, bytes) else str(raw).encode()
        try:
            message = read(raw)
            # Other queues are not ours: answers to remote control, and what an operator's worker serves besides.
            (check_task if queue in contract.QUEUES else check_envelope)(message, plain=is_plain(raw))
        except NotOurs as problem:
            self.set_aside(raw, queue, str(problem))
            return
        try:
            self.connection._deliver(message, queue)
        except _BROKER_TROUBLE:
            raise
        except Exception as error:
            # Nothing that the checks know. The next worker would fare no better with it.
            self.set_aside(raw, queue, f"{type(error).__name__} when it was taken")
            tag = message["properties"]["delivery_tag"]
            if tag in self.qos._delivered:
                self.qos.ack(tag)

    def _deliver_fanout_message(self, message: Any, exchange: str) -> bool:
        """Hand on what was published to all workers: remote control and events, of which nothing is kept."""
        try:
            check_envelope(message)
            return bool(super()._deliver_fanout_message(message, exchange))
        except _BROKER_TROUBLE:
            raise
        except Exception as error:
            log.warning("broadcast ignored", exchange=exchange, why=_why(error))
            return False

    def _receive_one(self, c: Any) -> Any:
        try:
            return super()._receive_one(c)
        except UnicodeDecodeError as error:
            log.warning("broadcast ignored", why=_why(error))
            return None

    def set_aside(self, raw: bytes, queue: str, reason: str) -> None:
        """Put a message into quarantine; raises a connection error if Redis is away, and keeps it until it is back."""
        log.error("message quarantined", queue=queue, reason=reason, bytes=len(raw))
        self._unwritten.append((raw, queue, reason))
        self.write_out()

    def write_out(self) -> None:
        """Write what could not be put into quarantine so far; called before anything more is taken."""
        while self._unwritten:
            raw, queue, reason = self._unwritten[0]
            with self.conn_or_acquire() as client:
                Quarantine(client).add_message(raw, queue=queue, reason=reason)
            self._unwritten.popleft()


def restorable(raw: bytes | str) -> str | None:
    """Return why an entry among the unacknowledged messages cannot go back to its queue; None if it can."""
    try:
        entry = read(raw if isinstance(raw, bytes) else raw.encode())
        if not isinstance(entry, list) or len(entry) != 3:
            raise NotOurs("not noted by a worker")
        check_envelope(entry[0])
        if not isinstance(entry[1], str) or not isinstance(entry[2], str):
            raise NotOurs("noted without its queue")
    except NotOurs as problem:
        return str(problem)
    return None


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, NotOurs) else type(error).__name__


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
