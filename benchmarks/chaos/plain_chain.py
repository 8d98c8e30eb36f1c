"""The plain Celery chain under test. Hook endpoint and broker show the fate of a render."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from celery import Celery, chain
from redis import Redis

from benchmarks.chaos.accounting import HOOK_PATHS, Reported, name_of
from benchmarks.chaos.contender import System
from benchmarks.chaos.plan import CREATE, FAULTS
from harness import Process

QUEUES = ("requests", "submit", "poll", "hooks")


class PlainChain:
    """Build, submit, poll and two hooks as one Celery chain. A request counts as accepted once the broker has it."""

    name = "chain"
    # It has one account, and cannot survive two faults: an invalid message ends its workers for good, and its
    # connections to a demoted server stay read-only.
    meets = frozenset(FAULTS) - {"outages", "failovers", "poison"}
    paid_call = CREATE
    tasks: ClassVar[Mapping[str, str]] = dict(
        zip(QUEUES, ("chain.build", "chain.submit", "chain.poll", "chain.hook"), strict=True)
    )

    def __init__(self, system: System) -> None:
        self._system = system
        self._app = Celery("producer", broker=system.redis_url)
        self._redis = Redis.from_url(system.redis_url, decode_responses=True, socket_timeout=10)
        self._asked: set[int] = set()

    def start_worker(self, queues: str, log: Path) -> Process:
        """Start one worker process that serves these queues."""
        plan = self._system.plan
        environ = {
            "REDIS_URL": self._system.redis_url,
            "VENDOR_URL": self._system.vendor_url,
            "VENDOR_TIMEOUT": f"{plan.lease * 0.8:g}",
            "POLL_EVERY": "1",
            "VISIBILITY_TIMEOUT": str(plan.visibility_timeout),
        }
        command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.plain_chain.app", "worker", "-Q", queues]
        command += ["-n", f"{log.stem}-{os.getpid()}@localhost", "--loglevel", "INFO"]
        return Process(command, log=log, environ=environ)

    def ask(self, order: int) -> None:
        """Send one chain; raises the broker client's errors if the broker is down."""

        def link(task: str, queue: str, *args: Any, immutable: bool = False) -> Any:
            return self._app.signature(task, args=args, queue=queue, immutable=immutable)

        hooks = [link("chain.hook", "hooks", order, url, immutable=True) for url in self._system.hook_urls(order)]
        steps = [
            link("chain.build", "requests", order, name_of(order)),
            link("chain.submit", "submit"),
            link("chain.poll", "poll"),
        ]
        chain(*steps, *hooks, app=self._app).apply_async()
        self._asked.add(order)

    def tend(self) -> int:
        """Repeat nothing: without a key it would be a second render."""
        return 0

    def reconnect(self) -> None:
        """Not needed: its plan has no failover."""

    def unsettled(self) -> int:
        """Return how many renders have a hook that the endpoint has not taken."""
        return len(self._asked) - len(self._delivered())

    def reported(self) -> Sequence[Reported]:
        """Return the fate of every chain: delivered, stuck in a message, or in no message any more."""
        delivered, waiting = self._delivered(), set(self._waiting())
        return [self._fate(order, delivered, waiting) for order in sorted(self._asked)]

    @staticmethod
    def _fate(order: int, delivered: set[int], waiting: set[int]) -> Reported:
        if order in delivered:
            return Reported(order, "delivered")
        if order in waiting:
            return Reported(order, "stuck", why="a message of it is queued or unacknowledged")
        return Reported(order, "lost", why="no message of it is left")

    def _delivered(self) -> set[int]:
        arrived = self._system.arrived()
        return {order for order in self._asked if all((order, path) in arrived for path in HOOK_PATHS)}

    def _waiting(self) -> Iterator[int]:
        raw: list[Any] = [text for queue in QUEUES for text in self._redis.lrange(queue, 0, -1)]
        messages = [json.loads(text) for text in raw]
        messages += [json.loads(text)[0] for text in self._redis.hvals("unacked")]
        for message in messages:
            order = order_of_message(message)
            if order is not None:
                yield order

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
        self._app.close()


def order_of_message(message: dict[str, Any]) -> int | None:
    """Return the order number of the render of a queued message of the chain, None for other messages."""
    args, _, embed = json.loads(base64.b64decode(message["body"]))
    if message["headers"]["task"] in ("chain.build", "chain.hook"):
        return int(args[0])
    for link in embed.get("chain") or ():
        if link["task"] == "chain.hook":
            return int(link["args"][0])
    return None
