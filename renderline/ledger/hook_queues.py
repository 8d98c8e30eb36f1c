"""The queues of other services that `celery` hooks feed: how full each is, and which tasks feed it."""

from __future__ import annotations

from typing import NamedTuple

from renderline.ledger.store import Ledger

LIMIT = 10_000
"""Messages that may wait in a queue."""
_REMEMBERED = 1000
"""How many tasks and queues are remembered, the latest ones."""


class FullQueue(Exception):
    """A queue holds as many messages as it may."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting:,} messages wait in it")
        self.waiting = waiting


class HookQueue(NamedTuple):
    """A queue with the messages that wait in it, and the tasks that hooks sent there lately."""

    name: str
    waiting: int
    tasks: tuple[str, ...]


class HookQueues:
    """Bounds the queues that hooks feed. In Redis a queue without a consumer would grow until nothing fits any more.

    The broker is the ledger's Redis, where a queue is a list of its name.
    """

    def __init__(self, ledger: Ledger, *, limit: int = LIMIT) -> None:
        self._redis, self._key, self._limit = ledger.redis, ledger.keys.hook_queues, limit

    def check(self, task: str, queue: str, *, at: float) -> None:
        """Note that a hook sends `task` to `queue` at that time (epoch seconds); raises `FullQueue`."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.llen(queue)
            pipe.zadd(self._key, {f"{task}@{queue}": at})
            pipe.zremrangebyrank(self._key, 0, -_REMEMBERED - 1)
            waiting = int(pipe.execute()[0])
        if waiting >= self._limit:
            raise FullQueue(waiting)

    def all(self) -> list[HookQueue]:
        """Return the queues to which hooks sent lately, the fullest first."""
        tasks: dict[str, list[str]] = {}
        for member in self._redis.zrange(self._key, 0, -1):
            task, _, queue = str(member).rpartition("@")
            tasks.setdefault(queue, []).append(task)
        with self._redis.pipeline(transaction=False) as pipe:
            for queue in tasks:
                pipe.llen(queue)
            lengths = pipe.execute(raise_on_error=False)
        found = [
            HookQueue(queue, waiting, tuple(sorted(tasks[queue])))
            for queue, waiting in zip(tasks, lengths, strict=True)
            if isinstance(waiting, int)
        ]
        return sorted(found, key=lambda one: -one.waiting)
