"""What the harness asks of a system under test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.chaos.accounting import Told
from benchmarks.chaos.plan import Plan
from benchmarks.chaos.receiver import Place
from tests.parts import Process


@dataclass(frozen=True)
class Site:
    """Where a system under test finds what it needs; URLs are of this machine's loopback interface."""

    plan: Plan
    directory: Path
    redis_url: str
    vendor_url: str
    receiver_url: str
    arrived: Callable[[], set[Place]]
    """Which hooks the receiver has taken."""


class Contender(Protocol):
    """A system that renders and calls hooks."""

    name: str

    def start_worker(self, queues: str, log: Path) -> Process:
        """Start one worker process that serves these queues."""

    def ask(self, order: int) -> None:
        """Send one request as a producer does; raises what its broker client raises while the broker is away."""

    def tend(self) -> int:
        """Do what a producer does for requests that seem to have vanished; returns how many it sent again."""

    def unsettled(self) -> int:
        """Return how many of the requests sent so far have not come to an end, as far as can be seen now."""

    def told(self) -> Sequence[Told]:
        """Return what became of every accepted render."""

    def close(self) -> None:
        """Let go of connections."""
