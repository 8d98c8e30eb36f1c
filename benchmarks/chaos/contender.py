"""What the harness asks of a system under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from kombu.exceptions import KombuError
from redis import RedisError

from benchmarks.chaos.accounting import HOOK_PATHS, Reported, meets_hanging_endpoint
from benchmarks.chaos.hook_endpoint import HookCall
from benchmarks.chaos.plan import Plan
from harness import Process

BROKER_AWAY = (OSError, RedisError, KombuError)
"""What a broker client raises while its server is away, or no longer the primary."""


@dataclass(frozen=True)
class System:
    """Where a system under test finds what it needs; URLs are of this machine's loopback interface."""

    plan: Plan
    directory: Path
    redis_url: str
    vendor_url: str
    ill_vendor_url: str
    endpoint_url: str
    hanging_url: str
    """Of the hook endpoint that hangs for a time."""
    arrived: Callable[[], Mapping[HookCall, float]]
    """Which hooks the hook endpoints have taken."""

    def hook_urls(self, order: int) -> tuple[str, ...]:
        """Return the URLs of a render's hooks, in their order."""
        first = self.hanging_url if meets_hanging_endpoint(order) else self.endpoint_url
        return (f"{first}{HOOK_PATHS[0]}", f"{self.endpoint_url}{HOOK_PATHS[1]}")


class Contender(Protocol):
    """A system that renders and calls hooks."""

    name: str
    meets: ClassVar[frozenset[str]]
    """The faults of a plan that it can be asked to live through."""
    paid_call: ClassVar[str]
    """The vendor call that it starts renders with."""
    tasks: ClassVar[Mapping[str, str]]
    """The name of a task for every queue."""

    def start_worker(self, queues: str, log: Path) -> Process:
        """Start one worker process that serves these queues."""

    def ask(self, order: int) -> None:
        """Send one request as a producer does; raises what its broker client raises while the broker is away."""

    def tend(self) -> int:
        """Do what a producer does for requests that seem to have vanished; returns how many it sent again."""

    def reconnect(self) -> None:
        """Leave connections that lead to a server which is no longer the primary."""

    def unsettled(self) -> int:
        """Return how many of the requests sent so far have not come to an end, as far as can be seen now."""

    def reported(self) -> Sequence[Reported]:
        """Return what became of every accepted render."""

    def close(self) -> None:
        """Let go of connections."""
