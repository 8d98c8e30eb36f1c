"""A canary in the consumer: a message of the worker's own, which must come back over the connection of its queues.

A consumer can go deaf: its connection is open, its process is alive, and nothing is delivered (reported of Celery on
Redis). Only a message that takes the same way shows it. Each worker consumes a private queue beside its others, over
the same channel, and sends itself a message every few seconds. If they stop coming back, it replaces its consumer. If
the new one is deaf too, the worker ends, for its supervisor to start another. Answers celery/celery#8030,
celery/celery#9054 and celery/celery#10096 (reports; kombu 5.5 and later mend some causes).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from celery import Celery, bootsteps, signals
from celery.worker import state
from kombu import Consumer, Queue
from kombu.exceptions import KombuError
from redis.exceptions import NoPermissionError

from workers.queue_order import CANARY_PREFIX
from workers.repairs.repair import CELERY, KOMBU, Repair

log = structlog.get_logger(__name__)

_MISSED: Final = 4
"""Checks in a row without an answer after which a consumer counts as deaf. At 5 s each: within 25 s."""
_EXPIRES: Final = 300.0
"""Seconds after which the queue of a worker that is gone disappears."""
EXIT_CODE: Final = 70
"""Of a worker that ends because its consumer stays deaf (EX_SOFTWARE). Supervisors restart it."""


class ConsumerDeaf(ConnectionError):
    """The consumer's connection delivers nothing. Celery connects anew, as after any other lost connection."""


@dataclass
class Canary:
    """Watches the consumer of this process. `check` belongs in a thread of its own, every `interval` seconds.

    `end` ends the process.
    """

    app: Celery
    interval: float
    end: Callable[[], None] | None = None
    replaced: int = 0
    """How often the consumer was replaced."""
    queue: Queue = field(init=False)
    _consumer: Any = field(default=None, init=False, repr=False)
    _returned_at: float | None = field(default=None, init=False)
    _awaited: bool = field(default=False, init=False)
    _missed: int = field(default=0, init=False)
    _strikes: int = field(default=0, init=False)
    _refused: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        name = f"{CANARY_PREFIX}{uuid.uuid4().hex}"
        self.queue = Queue(name, routing_key=name, durable=False, expires=_EXPIRES)

    # -- in the thread of the consumer

    def attach(self, consumer: Any) -> Consumer | None:
        """Consume the canary's queue over the channel of Celery's consumer; raises a connection error.

        None if the broker's user has no right to that queue, as with the users of an earlier version.
        """
        channel = consumer.task_consumer.channel
        try:
            own = Consumer(channel, [self.queue], no_ack=True, on_message=self._return, auto_declare=True)
        except NoPermissionError:
            # Before it is consumed: one list without the right would fail each BRPOP, and with it every queue.
            if not self._refused:
                log.warning(
                    "no canary: the Redis user has no right to it; make the users anew (renderline redis-users)"
                )
            self._refused = True
            return None
        own.consume()
        self._awaited, self._missed, self._consumer = False, 0, consumer
        return own

    def detach(self) -> None:
        """Expect nothing until the next consumer is attached."""
        self._consumer = None

    def _return(self, message: Any) -> None:
        # Any canary will do: an older one took the same way.
        self._awaited, self._returned_at, self._missed = False, time.monotonic(), 0
        if self._strikes:
            self._strikes = 0
            log.info("consumer is no longer deaf")

    # -- in the thread of the checks

    @property
    def age(self) -> float | None:
        """Seconds since the newest canary came back; None before the first one."""
        return None if self._returned_at is None else time.monotonic() - self._returned_at

    @property
    def deaf(self) -> bool:
        """Whether the consumer was found deaf, and no canary has come back since."""
        return self._strikes > 0

    def consuming(self) -> tuple[str, ...]:
        """Return the names of the queues from which this worker takes messages; none while it is deaf."""
        return () if self.deaf else tuple(sorted(map(str, self.app.amqp.queues.consume_from)))

    def check(self) -> None:
        """Send a canary if the last one came back; otherwise replace the consumer when too many checks have passed.

        Raises a connection error if the broker does not take the canary: then the consumer is not to blame.
        """
        consumer = self._consumer
        if consumer is None and not self._strikes:
            return
        if not self._awaited:
            self._send()
            return
        if consumer is not None and not _takes(consumer):
            # All threads are busy, so it takes no message, and no canary.
            self._missed = 0
            return
        self._missed += 1
        if self._missed == 1:
            # It may be gone: its queue expires while the worker is frozen, or takes no message.
            self._send()
        if self._missed < _MISSED:
            return
        # The broker must take a message: if nobody reaches it, a new consumer would not either.
        self._send()
        self._strikes += 1
        self._missed = 0
        silent = round(_MISSED * self.interval)
        if self._strikes > 1 or consumer is None:
            log.critical("consumer stays deaf; the worker ends, for its supervisor to start another", silent_for=silent)
            (self.end or self._end)()
            return
        self.replaced += 1
        log.error("consumer is deaf: connection open, nothing delivered; it is replaced", silent_for=silent)
        consumer.hub.call_soon(_drop, consumer)

    def _send(self) -> None:
        # Before it is sent: it may be back at once.
        self._awaited = True
        try:
            with self.app.producer_or_acquire() as producer:
                producer.publish(
                    {}, serializer="json", exchange="", routing_key=self.queue.name, declare=[self.queue], retry=False
                )
        except Exception as error:
            self._awaited, self._missed = False, 0
            if isinstance(error, KombuError):
                raise ConnectionError(f"the broker did not take the canary ({type(error).__name__})") from error
            raise

    def _end(self) -> None:
        # As on SIGTERM. The loop may hang: workers/shutdown.py ends the process when the time for that is up.
        signals.worker_shutting_down.send(sender=None, sig="SIGTERM", how="Warm", exitcode=EXIT_CODE)
        state.should_stop = EXIT_CODE


def _drop(consumer: Any) -> None:
    # Closed first: Celery would wait for the answer to its BRPOP.
    consumer.task_consumer.channel.client.connection.disconnect()
    raise ConsumerDeaf("the consumer's connection delivers nothing")


def _takes(consumer: Any) -> bool:
    """Return whether the consumer has room for a message."""
    return bool(consumer.task_consumer.channel.qos.can_consume())


class CanaryStep(bootsteps.StartStopStep):
    """Attaches the canary to every new consumer of a worker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._own: Consumer | None = None

    def start(self, parent: Any) -> None:
        """Begin to consume the canary's queue."""
        self._own = parent.app.canary.attach(parent)

    def stop(self, parent: Any) -> None:
        """Expect no more canaries. The old connection may be gone, so nothing is canceled there."""
        parent.app.canary.detach()
        self._own = None

    shutdown = stop


REPAIR = Repair(
    name="canary",
    answers=("celery/celery#8030", "celery/celery#9054", "celery/celery#10096"),
    promise="a worker whose connection delivers nothing notices it",
    needs={**KOMBU, **CELERY},
    touches=(
        "celery.worker.consumer:Consumer.start",
        "celery.worker.consumer.tasks:Tasks.start",
        "kombu.asynchronous.hub:Hub.call_soon",
        "kombu.transport.redis:Channel.qos",
        "kombu.transport.redis:QoS.can_consume",
    ),
    step=CanaryStep,
)
