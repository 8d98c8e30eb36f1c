"""`renderline watch`: the renders as they move."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from rich.live import Live

from renderline.renders import FINAL, State
from workers.cli import views
from workers.cli.session import Session, json_option, pass_session, write_json

# What somebody waits for comes first, then what has ended.
_FIRST = (State.UNCONFIRMED, State.RENDERING, State.SUBMITTING, State.COMPLETED, State.ACCEPTED)
_REDRAW = 0.25
"""Seconds between two looks at the ledger while events come in."""


@click.command()
@click.option("--once", is_flag=True, help="Show how it stands and end.")
@click.option("--limit", type=click.IntRange(1, 1000), default=None, help="Show at most so many renders.")
@json_option
@pass_session
def watch(session: Session, once: bool, limit: int | None) -> None:
    """Show what is going on until Ctrl-C.

    On a terminal a live table; otherwise one line for every event. With --json one object for every event, and with
    --once one object: {"counts": {...}, "renders": [...]}.
    """
    if once:
        counts, records = _look(session, limit or 20)
        session.answer({"counts": counts, "renders": records}, lambda: _board(session, counts, records))
        return
    try:
        if session.as_json or not session.console.is_terminal:
            _stream(session)
        else:
            _live(session, limit)
    except KeyboardInterrupt:
        return


def _look(session: Session, limit: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return how many renders stand where, and up to `limit` of them: the unfinished first, each newest first."""
    from renderline.ledger import Filter

    counts = session.listing.counts(State)
    records: list[dict[str, Any]] = []
    for state in _FIRST:
        if counts[state] and len(records) < limit:
            records += session.listing.page(Filter(state=state), limit=limit - len(records))[0]
    if len(records) < limit:
        # What is unfinished stands among the newest too.
        newest, _ = session.listing.page(Filter(), limit=limit)
        records += [record for record in newest if record["state"] in FINAL][: limit - len(records)]
    return counts, records


def _board(session: Session, counts: dict[str, int], records: list[dict[str, Any]]) -> Any:
    return views.board(counts, records, title=session.settings.redis_url.rpartition("@")[2].partition("://")[2] or "")


def _live(session: Session, limit: int | None) -> None:
    last = session.listing.last_event()
    with Live(console=session.console, auto_refresh=False, screen=False) as live:
        while True:
            room = max(1, session.console.height - 5)
            live.update(_board(session, *_look(session, min(room, limit or room))), refresh=True)
            seen = False
            for event, _ in session.listing.events(after=last, block=1.0):
                last, seen = event, True
            if seen:
                time.sleep(_REDRAW)


def _stream(session: Session) -> None:
    last = session.listing.last_event()
    while True:
        for event, fields in session.listing.events(after=last, block=1.0):
            last = event
            if session.as_json:
                write_json({**fields, "event": event, "at": float(fields["at"])})
            else:
                progress = f" {float(fields['progress']):.0f} %" if fields.get("progress") else ""
                click.echo(f"{fields['id']} {fields['state']}{progress}")
        sys.stdout.flush()


COMMANDS = (watch,)
