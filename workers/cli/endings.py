"""What `submit --wait` leaves on the screen: a table of a few renders, or the counts of many and those that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from renderline.renders import State
from workers.cli import views
from workers.cli.errors import plain
from workers.cli.result_file import UNKNOWN
from workers.cli.session import Session

_FEW = 50
"""So many renders are shown one by one."""

_REASONS = 50
"""So many failures are shown."""

_FAILED = (State.FAILED, State.EXPIRED, State.UNDELIVERED)


def records_of(session: Session, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the records of renders, without those that are gone."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), 500):
        found += [record for record in session.ledger.records(ids[start : start + 500]) if record]
    return found


def show_ending(session: Session, states: Mapping[str, str | None]) -> None:
    """Show people how renders ended, by their ids: the failures come last, each with its reason."""
    if len(states) <= _FEW:
        shown: list[RenderableType] = [views.table(records_of(session, list(states)))]
    else:
        counts = Counter(state or "gone" for state in states.values())
        by_state = ", ".join(f"{counts[state]} {state}" for state in (*State, UNKNOWN, "gone") if counts[state])
        shown = [Text(f"{len(states)} renders: {by_state}")]
    failures = _failures(session, [one for one, state in states.items() if state in _FAILED])
    session.console.print(Group(*shown, *failures), crop=False)


def _failures(session: Session, ids: Sequence[str]) -> list[Text]:
    some = records_of(session, ids[:_REASONS])
    # Only a terminal has a width; elsewhere each failure is one line.
    wrapped: dict[str, Any] = {} if session.console.is_terminal else {"no_wrap": True, "overflow": "ignore"}
    lines = [
        Text(f"{record['id']}  {f'{views.name(record)}: ' if record['name'] else ''}{sentence}", **wrapped)
        for record, sentence in zip(some, sentences(session, some), strict=True)
    ]
    if len(ids) > _REASONS:
        lines.append(Text(f"{len(ids) - _REASONS} more failed", style="dim"))
    return lines


def sentences(session: Session, records: Sequence[dict[str, Any]]) -> list[str]:
    """Return for each render on one line why it is not done, or what it ended with, and what a person can do."""
    return [
        " ".join(plain(text) for text in (found.sentence, found.ends, found.action and f"({found.action})") if text)
        for found in session.explainer.explain(records)
    ]
