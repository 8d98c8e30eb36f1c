"""What one run of a poll pump did, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from renderline.ledger import DuePoll, PollResult

_SHOWN_IDS = 2
"""Ids that are named for each state."""


@dataclass
class Tally:
    """Counts the renders that a run polled, by the state that they are in now."""

    polled: int = 0
    unanswered: int = 0
    """Polls that failed: these renders are polled again."""
    staying: Counter[str] = field(default_factory=Counter)
    """Renders whose state is the same as before, by state."""
    moved: dict[str, list[str]] = field(default_factory=dict)
    """The ids of the renders that changed state, by their new state."""

    def add(self, due: Sequence[DuePoll], results: Sequence[PollResult], changes: Sequence[tuple[str, str]]) -> None:
        """Add recorded results, for renders among `due`, and the changes of state (id, new state) that they made."""
        states, new = {one.id: one.state for one in due}, dict(changes)
        for result in results:
            if result.status == "dropped":
                continue
            self.polled += 1
            if result.id in new:
                self.moved.setdefault(new[result.id], []).append(result.id)
            elif result.status == "error":
                self.unanswered += 1
            else:
                self.staying[states.get(result.id, "rendering")] += 1

    def __str__(self) -> str:
        """Return it in words, such as `polled 12: 10 rendering, 1 completed (3f2a...), 1 without an answer`."""
        parts = [f"{count} {state}" for state, count in sorted(self.staying.items())]
        for state, ids in sorted(self.moved.items()):
            more = ", ..." if len(ids) > _SHOWN_IDS else ""
            parts.append(f"{len(ids)} {state} ({', '.join(ids[:_SHOWN_IDS])}{more})")
        parts += [f"{self.unanswered} without an answer"] if self.unanswered else []
        return f"polled {self.polled}" + (f": {', '.join(parts)}" if parts else "")
