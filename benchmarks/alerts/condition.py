"""A condition: what goes wrong, and the alerts that must fire of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks.alerts.stage import Stage

_CONDITIONS: list[Condition] = []


@dataclass(frozen=True)
class Condition:
    """Something that goes wrong. Inside `provoked` it lasts; afterwards the stage works again."""

    what: str
    alerts: tuple[str, ...]
    provoked: Callable[[Stage], AbstractContextManager[None]]


def condition(what: str, *alerts: str) -> Callable[[Callable[[Stage], Iterator[None]]], Callable[[Stage], None]]:
    """Register a generator: it provokes the condition, yields, and mends the stage."""

    def register(provoke: Callable[[Stage], Iterator[None]]) -> Callable[[Stage], None]:
        _CONDITIONS.append(Condition(what, tuple(f"Renderline{one}" for one in alerts), contextmanager(provoke)))
        return provoke  # type: ignore[return-value]

    return register


def conditions() -> list[Condition]:
    """Return the conditions of the modules that were imported, in the order in which they are tried."""
    return list(_CONDITIONS)
