"""Calls that are held until the control API releases them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class HeldCall:
    """One held call. `resume(forget)` processes it if needed and answers it, or closes its connection."""

    id: int
    account: str
    call: str
    fault: str
    project: str | None
    name: str | None
    since: float
    resume: Callable[[bool], None]
    client_gone: bool = False

    def as_json(self) -> dict[str, Any]:
        """The entry for display."""
        names = ("id", "account", "call", "fault", "project", "name", "since", "client_gone")
        return {name: getattr(self, name) for name in names}


class HeldCalls:
    """All held calls, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[int, HeldCall] = {}
        self._next = 0

    def add(
        self,
        *,
        account: str,
        call: str,
        fault: str,
        project: str | None,
        name: str | None,
        since: float,
        resume: Callable[[bool], None],
    ) -> HeldCall:
        """Hold a call."""
        self._next += 1
        entry = HeldCall(self._next, account, call, fault, project, name, since, resume)
        self._waiting[entry.id] = entry
        return entry

    def all(self) -> list[HeldCall]:
        """The held calls."""
        return list(self._waiting.values())

    def release(self, *, only: int | None = None, forget: bool = False) -> int:
        """Release all calls, or the one with this id. `forget` closes their connections and processes nothing.

        A call held before processing is processed even if its client has gone: its request had arrived.
        """
        chosen = [entry for entry in self.all() if only is None or entry.id == only]
        for entry in chosen:
            del self._waiting[entry.id]
        for entry in chosen:
            entry.resume(forget)
        return len(chosen)
