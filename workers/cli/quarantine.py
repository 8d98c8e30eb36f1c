"""`renderline quarantine`: messages and records that could not be read."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
from rich.text import Text

from workers.cli import views
from workers.cli.errors import plain
from workers.cli.session import Session, json_option, pass_session


@click.group()
def quarantine() -> None:
    """Messages and records that could not be read. They hold up no others."""


@quarantine.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
@json_option
@pass_session
def list_entries(session: Session, limit: int) -> None:
    """List them, newest first: what it is, where it was, and why it could not be read."""
    from renderline.ledger import iso
    from renderline.ledger.quarantine import Quarantine

    entries = Quarantine(session.ledger.redis, prefix=session.ledger.prefix).entries(limit=limit)
    found = [{**dataclasses.asdict(one), "at": iso(one.at)} for one in entries]
    session.answer(found, lambda: _shown(found))


def _shown(entries: list[dict[str, Any]]) -> Any:
    if not entries:
        return Text("nothing in quarantine", style="dim")
    rows = [
        (one["id"], one["what"], one["where"], one["render_id"] or "", views.age(one["at"]), plain(one["reason"]))
        for one in entries
    ]
    return views.plain_table(("ENTRY", "WHAT", "WHERE", "RENDER", "AGO", "REASON"), rows)


COMMANDS = (quarantine,)
