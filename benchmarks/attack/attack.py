"""What an attack is: a name, what it does, and a function that carries it out and says whether the system held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Final, NamedTuple

from benchmarks.attack.target import Target

MODULES: Final = (
    "messages",
    "connections",
    "tenants",
    "hooks",
    "bodies",
    "streams",
    "board",
    "quotas",
    "broker",
    "flower",
    "doors",
    "webhooks",
    "addresses",
    "storage",
    "uploads",
    "logs",
    "timing",
    "settings",
)
"""The modules with attacks, in the order of the table."""


class Finding(NamedTuple):
    """The result of an attack: whether the system held, and the figure that shows it."""

    held: bool
    figure: str


@dataclass(frozen=True)
class Attack:
    """One attack. `run` gets the system under attack, and whether to use the long form."""

    name: str
    what: str
    run: Callable[[Target, bool], Finding]


_FOUND: list[Attack] = []


def attack(name: str, what: str) -> Callable[[Callable[[Target, bool], Finding]], Callable[[Target, bool], Finding]]:
    """Add the function to the attacks, under `name`; `what` says in a few words what it does."""

    def add(run: Callable[[Target, bool], Finding]) -> Callable[[Target, bool], Finding]:
        assert all(known.name != name for known in _FOUND), f"two attacks are named {name}"
        _FOUND.append(Attack(name, what, run))
        return run

    return add


def attacks() -> Iterator[Attack]:
    """Yield every attack, in the order of the table."""
    for module in MODULES:
        import_module(f"benchmarks.attack.{module}")
    yield from _FOUND
