"""An invalid message goes into quarantine before Celery sees it, and does not end a worker.

kombu decodes every entry of a list; an exception there ends the worker, and then the next one that takes the message.
Answers celery/celery#7975 and celery/celery#4308 (both open).

Until a taken message is noted as unacked, only this process has it, as always with Celery on Redis. A worker that is
killed within that millisecond loses it, and the sweep sends it again. If Redis is down, the channel keeps the message.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

import structlog
from kombu.exceptions import KombuError
from kombu.transport import redis
from kombu.transport.virtual import Empty
from redis import RedisError

from renderline.ledger.quarantine import Quarantine, Unread
from workers.message_check import InvalidMessage, check_broadcast, check_envelope, check_task, is_plain, read
from workers.queue_order import CANARY_PREFIX
from workers.repairs.repair import KOMBU, Repair

log = structlog.get_logger(__name__)

# Not kombu's own list: it counts every KeyError as a lost connection, even one that a message causes.
_BROKER_ERRORS = (RedisError, OSError, KombuError)

_REPLIES = ".pidbox"


class QoS(redis.QoS):
    """Restores only entries that hold a message."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put a message back into its queue, or an entry that is no message into quarantine."""
        with self.channel.conn_or_acquire(client) as redis_client:
            raw = redis_client.hget(self.unacked_key, tag)
            if raw and (reason := unrestorable(raw)):
                self.channel.quarantine(Unread(_bytes(raw), self.unacked_key, reason))
                self._remove_from_indices(tag).execute()
                return
        super().restore_by_tag(tag, client=client, leftmost=leftmost)


class Channel(redis.Channel):
    """A channel that delivers only messages that Celery can process."""

    connection_errors: tuple[type[Exception], ...]
    _in_poll: Any
    # An attribute of the process, not of the channel: a new connection has a new channel.
    _unwritten: ClassVar[deque[Unread]] = deque()

    def _brpop_start(self, timeout: Any = None) -> None:
        """Ask for the next message once everything quarantined is written."""
        self.write_quarantined()
        super()._brpop_start(timeout)

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
            self._check_and_deliver(_bytes(raw), queue, _text(key))
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _check_and_deliver(self, raw: bytes, queue: str, place: str) -> None:
        """Deliver a message to the consumer of `queue`, or quarantine it. `place` is the list that it came from."""
        try:
            message = read(raw)
            # Replies to remote control and canaries are no tasks.
            if queue.endswith(_REPLIES) or queue.startswith(CANARY_PREFIX):
                check_broadcast(message, plain=is_plain(raw))
            else:
                check_task(message, plain=is_plain(raw), links=self._links)
        except InvalidMessage as problem:
            self.quarantine(Unread(raw, queue, str(problem), problem.kind, place))
            return
        try:
            self.connection._deliver(message, queue)
        except _BROKER_ERRORS:
            raise
        except Exception as error:
            # The checks missed it. The next worker would fail on it too.
            self.quarantine(Unread(raw, queue, f"{type(error).__name__} when it was taken", "malformed", place))
            tag = message["properties"]["delivery_tag"]
            if tag in self.qos._delivered:
                self.qos.ack(tag)

    @property
    def _links(self) -> bool:
        return bool(self.connection.client.transport_options.get("links", True))

    def _deliver_fanout_message(self, message: Any, exchange: str) -> bool:
        """Deliver a broadcast (remote control, events); a broken one is logged and dropped."""
        try:
            check_broadcast(message)
            return bool(super()._deliver_fanout_message(message, exchange))
        except _BROKER_ERRORS:
            raise
        except Exception as error:
            log.warning("broadcast ignored", exchange=exchange, why=_why(error))
            return False

    def _handle_message(self, client: Any, response: Any) -> Any:
        """Return what was published as kombu does; drop what is not JSON, which kombu would write into the log."""
        payload = super()._handle_message(client, response)
        if _text(payload["type"]).endswith("message") and payload["data"]:
            try:
                read(_bytes(payload["data"]))
            except InvalidMessage as problem:
                log.warning("broadcast ignored", why=str(problem))
                payload["data"] = None
        return payload

    def _receive_one(self, c: Any) -> Any:
        try:
            return super()._receive_one(c)
        except UnicodeDecodeError as error:
            log.warning("broadcast ignored", why=_why(error))
            return None

    def quarantine(self, message: Unread) -> None:
        """Put a message into quarantine; raises a connection error if Redis is away, and keeps the message."""
        log.error("message quarantined", queue=message.queue, reason=message.reason, bytes=len(message.raw))
        self._unwritten.append(message)
        self.write_quarantined()

    def write_quarantined(self) -> None:
        """Write what could not be put into quarantine before; called before another message is taken."""
        while self._unwritten:
            message = self._unwritten[0]
            with self.conn_or_acquire() as client:
                Quarantine(client).add_message(message)
            self._unwritten.popleft()


def unrestorable(raw: bytes | str) -> str | None:
    """Return why an entry among the unacked messages cannot go back to its queue; None if it can."""
    try:
        entry = read(raw if isinstance(raw, bytes) else raw.encode())
        if not isinstance(entry, list) or len(entry) != 3:
            raise InvalidMessage("not noted by a worker")
        check_envelope(entry[0])
        if not isinstance(entry[1], str) or not isinstance(entry[2], str):
            raise InvalidMessage("noted without its queue")
    except InvalidMessage as problem:
        return str(problem)
    return None


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, InvalidMessage) else type(error).__name__


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


REPAIR = Repair(
    name="quarantine",
    promise="a broken message ends no worker and is kept in quarantine",
    answers=("celery/celery#7975", "celery/celery#4308"),
    needs=KOMBU,
    touches=(
        "kombu.transport.redis:Channel._brpop_start",
        "kombu.transport.redis:Channel._brpop_read",
        "kombu.transport.redis:Channel._in_poll",
        "kombu.transport.redis:Channel._flush_brpop_reauth",
        "kombu.transport.redis:Channel._handle_message",
        "kombu.transport.redis:Channel._receive_one",
        "kombu.transport.redis:Channel._deliver_fanout_message",
        "kombu.transport.redis:Transport._deliver",
        "kombu.transport.redis:QoS.restore_by_tag",
        "kombu.transport.redis:QoS._remove_from_indices",
        "kombu.transport.redis:QoS._delivered",
    ),
    channel=Channel,
    qos=QoS,
)
