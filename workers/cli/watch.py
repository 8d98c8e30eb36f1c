"""`renderline watch`: renders and their events, live."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from rich.live import Live

from renderline.renders import FINAL, State
from workers.cli import views
from workers.cli.session import Session, json_option, pass_session, write_json

_UNFINISHED = (State.UNCONFIRMED, State.RENDERING, State.SUBMITTING, State.COMPLETED, State.ACCEPTED)
_REDRAW = 0.25
"""Seconds between two reads of the ledger while events come in."""


@click.command()
@click.option("--once", is_flag=True, help="Show the present state and end.")
@click.option("--limit", type=click.IntRange(1, 1000), default=None, help="How many renders to show at most.")
@json_option
@pass_session
def watch(session: Session, once: bool, limit: int | None) -> None:
    """Show renders and their changes until Ctrl-C.

    On a terminal: a live table. Otherwise: one line per event, or with --json one object per event. With
    --once --json: one object: {"counts": {...}, "renders": [...]}.
    """
    if once:
        counts, records = _read(session, limit or 20)
        session.answer({"counts": counts, "renders": records}, lambda: _board(session, counts, records))
        return
    try:
        if session.as_json or not session.console.is_terminal:
            _stream(session)
        else:
            _live(session, limit)
    except KeyboardInterrupt:
        return


def _read(session: Session, limit: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return the number of renders by state, and up to `limit` records: unfinished ones first, each newest first."""
    from renderline.ledger import Filter

    counts = session.queries.counts(State)
    records: list[dict[str, Any]] = []
    for state in _UNFINISHED:
        if counts[state] and len(records) < limit:
            records += session.queries.page(Filter(state=state), limit=limit - len(records))[0]
    if len(records) < limit:
        # The newest may be unfinished ones, which are already in the list.
        newest, _ = session.queries.page(Filter(), limit=limit)
        records += [record for record in newest if record["state"] in FINAL][: limit - len(records)]
    return counts, records


def _board(session: Session, counts: dict[str, int], records: list[dict[str, Any]]) -> Any:
    return views.board(counts, records, title=session.redis_name)


def _live(session: Session, limit: int | None) -> None:
    last = session.queries.last_event()
    with Live(console=session.console, auto_refresh=False, screen=False) as live:
        while True:
            room = max(1, session.console.height - 5)
            live.update(_board(session, *_read(session, min(room, limit or room))), refresh=True)
            seen = False
            for event, _ in session.queries.events(after=last, block=1.0):
                last, seen = event, True
            if seen:
                time.sleep(_REDRAW)


def _stream(session: Session) -> None:
    last = session.queries.last_event()
    while True:
        for event, fields in session.queries.events(after=last, block=1.0):
            last = event
            if session.as_json:
                write_json({**fields, "event": event, "at": float(fields["at"])})
            else:
                progress = f" {float(fields['progress']):.0f} %" if fields.get("progress") else ""
                click.echo(f"{fields['id']} {fields['state']}{progress}")
        sys.stdout.flush()


COMMANDS = (watch,)
