"""The interface of a system under test."""

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
"""What a broker client raises if its server is down, or no longer the primary."""


@dataclass(frozen=True)
class System:
    """The addresses for a system under test; all URLs are on the loopback interface."""

    plan: Plan
    directory: Path
    redis_url: str
    vendor_url: str
    ill_vendor_url: str
    endpoint_url: str
    hanging_url: str
    """The URL of the hook endpoint that hangs for a time."""
    arrived: Callable[[], Mapping[HookCall, float]]
    """The hooks that the endpoints have taken."""

    def hook_urls(self, order: int) -> tuple[str, ...]:
        """Return the URLs of a render's hooks, in their order."""
        first = self.hanging_url if meets_hanging_endpoint(order) else self.endpoint_url
        return (f"{first}{HOOK_PATHS[0]}", f"{self.endpoint_url}{HOOK_PATHS[1]}")


class Contender(Protocol):
    """A system that renders and calls hooks."""

    name: str
    meets: ClassVar[frozenset[str]]
    """The faults of a plan that it can survive."""
    paid_call: ClassVar[str]
    """The vendor call that starts its renders."""
    tasks: ClassVar[Mapping[str, str]]
    """The name of one task per queue."""

    def start_worker(self, queues: str, log: Path) -> Process:
        """Start one worker process that serves these queues."""

    def ask(self, order: int) -> None:
        """Send one request as a producer does; raises the broker client's errors if the broker is down."""

    def tend(self) -> int:
        """Repeat lost requests as a producer does; returns how many it sent again."""

    def reconnect(self) -> None:
        """Close connections to a server that is no longer the primary."""

    def unsettled(self) -> int:
        """Return how many of the requests sent so far are unfinished, as far as can be seen now."""

    def reported(self) -> Sequence[Reported]:
        """Return the fate of every accepted render."""

    def close(self) -> None:
        """Close the connections."""
