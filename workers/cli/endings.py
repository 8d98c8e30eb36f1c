"""What `submit --wait` leaves on the screen: a table of a few renders, or the counts of many and those that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from renderline.renders import State
from workers.cli import views
from workers.cli.session import Session
from workers.cli.waiting import RenderWait

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


def ending(session: Session, waited: RenderWait) -> RenderableType:
    """Return the outcome for people: the failures come last, each with its reason."""
    ids = list(waited.records)
    if len(ids) <= _FEW:
        shown: list[RenderableType] = [views.table(records_of(session, ids))]
    else:
        counts = Counter(record["state"] if record else "gone" for record in waited.records.values())
        states = [*State, "gone"]
        shown_states = ", ".join(f"{counts[state]} {state}" for state in states if counts[state])
        shown = [Text(f"{len(ids)} renders: {shown_states}")]
    return Group(*shown, *_failures(session, waited))


def _failures(session: Session, waited: RenderWait) -> list[RenderableType]:
    failed = [one for one, record in waited.records.items() if record and record["state"] in _FAILED]
    some = records_of(session, failed[:_REASONS])
    lines = [
        Text.assemble(f"{record['id']}  ", f"{views.name(record)}: " if record["name"] else "", sentence)
        for record, sentence in zip(some, sentences(session, some), strict=True)
    ]
    if len(failed) > len(lines):
        lines.append(Text(f"{len(failed) - len(lines)} more failed", style="dim"))
    return list(lines)


def sentences(session: Session, records: Sequence[dict[str, Any]]) -> list[str]:
    """Return for each render a sentence that says why it is not done, or what it ended with."""
    return [f"{record['state']}: {views.problem(record)}".rstrip(": ") for record in records]
