"""Everything about one render, for people: why it is not done, its record, its hooks, its timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from workers.cli import views
from workers.cli.endings import sentences
from workers.cli.errors import plain
from workers.cli.session import Session


def render_page(session: Session, record: dict[str, Any]) -> RenderableType:
    """Return the page of a render."""
    from renderline.ledger.timeline import Timeline

    (sentence,) = sentences(session, [record])
    entries = Timeline(session.ledger).of(record["id"])
    return Group(Text(sentence, style="bold"), Text(""), views.details(record), Text(""), timeline(entries))


def timeline(entries: Sequence[Mapping[str, Any]]) -> Table:
    """Return a timeline as a table, the oldest entry first."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("TIME", "WHAT", "", "SECONDS", "RESULT", "BY"):
        side: Literal["right", "left"] = "right" if name == "SECONDS" else "left"
        shown.add_column(name, no_wrap=name != "RESULT", overflow="fold", justify=side)
    several = len({entry["attempt"] for entry in entries}) > 1
    for entry in entries:
        what = views.state_text(entry["name"]) if entry["type"] == "transition" else Text(plain(entry["name"]))
        if several:
            what.append(f" (attempt {entry['attempt']})", style="dim")
        status = f"{entry['status']} " if entry["status"] is not None else ""
        seconds = "" if entry["seconds"] is None else f"{entry['seconds']:.2f}"
        result = Text(f"{status}{plain(entry['result'])}".rstrip())
        shown.add_row(plain(entry["at"]), plain(entry["type"]), what, seconds, result, plain(entry["by"] or ""))
    return shown
