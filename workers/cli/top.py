"""`renderline top`: what all renders do at present, live."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from workers.cli import views
from workers.cli.errors import plain
from workers.cli.overview import overview
from workers.cli.session import Session, json_option, pass_session

_KEYS = "q quits, p pauses"


@click.command()
@click.option("--once", is_flag=True, help="Show the present state and end, as it does without a terminal.")
@click.option(
    "--every", type=click.FloatRange(min=0.5), default=2.0, show_default=True, help="Seconds between readings."
)
@click.option("--tenant", metavar="TENANT", help="Only renders of this tenant.")
@json_option
@pass_session
def top(session: Session, once: bool, every: float, tenant: str | None) -> None:
    """Show totals, rates, queues, accounts and the newest failures until q or Ctrl-C.

    With --json: one object, {"renders", "rates", "queues", "accounts", "tenants", "failures"}.
    """
    if once or session.as_json or not session.console.is_terminal:
        found = overview(session, tenant=tenant)
        session.answer(found, lambda: page(found))
        return
    try:
        _live(session, every, tenant)
    except KeyboardInterrupt:
        return


def _live(session: Session, every: float, tenant: str | None) -> None:
    paused = False
    with _keys() as pressed, Live(console=session.console, screen=True, auto_refresh=False) as live:
        while True:
            if not paused:
                room = max(1, session.console.height - 22)
                found = overview(session, failures=room, tenant=tenant)
            note = "paused; p goes on" if paused else _KEYS
            live.update(page(found, at=datetime.now(), note=note), refresh=True)
            key = pressed(every)
            if key == "q":
                return
            paused ^= key == "p"


@contextmanager
def _keys() -> Iterator[Any]:
    """Yield a function that waits up to so many seconds for a key, and returns it or nothing."""
    if not sys.stdin.isatty():
        yield _no_key
        return
    # Not on every platform, and of no use without a terminal.
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        # Not through the buffer, in which `select` sees nothing.
        return os.read(sys.stdin.fileno(), 1).decode(errors="replace") if ready else ""

    try:
        tty.setcbreak(sys.stdin)
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def page(found: Mapping[str, Any], *, at: datetime | None = None, note: str = "") -> RenderableType:
    """Return the whole view."""
    total = sum(one["count"] for one in found["renders"].values())
    when = f"  {at:%H:%M:%S}" if at else ""
    parts: list[RenderableType] = [
        Text(f"{found['redis']}{when}  {total} {'render' if total == 1 else 'renders'}  {note}".rstrip(), style="bold"),
        Text(_rates(found["rates"])),
        Text("queues: " + ", ".join(f"{name} {count}" for name, count in found["queues"].items())),
        Text(""),
        _states(found["renders"]),
        Text(""),
        _accounts(found["accounts"]),
    ]
    if len(found["tenants"]) > 1:
        parts.append(Text("tenants: " + ", ".join(f"{name} {count}" for name, count in found["tenants"].items())))
    if found["failures"]:
        parts += [Text(""), _failures(found["failures"])]
    return Group(*parts)


def _rates(rates: Mapping[str, Any]) -> str:
    words = ", ".join(f"{rates[name]:g} {name}" for name in ("accepted", "completed", "delivered", "failed"))
    lag = f"; noticed {rates['lag']:g} s after the vendor was done" if rates["lag"] is not None else ""
    return f"per minute, in the last {rates['minutes']}: {words}, {rates['credits']:g} credits{lag}"


def _table(*columns: str) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = column in ("RENDERS", "OLDEST", "PARKED", "SLOTS", "AGO")
        shown.add_column(column, no_wrap=True, overflow="ellipsis", justify="right" if numeric else "left")
    return shown


def _states(states: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    if not states:
        return Text("no renders", style="dim")
    shown = _table("STATE", "RENDERS", "OLDEST")
    for state, one in states.items():
        oldest = "" if one["oldest"] is None else views.duration(one["oldest"])
        shown.add_row(views.state_text(state), str(one["count"]), oldest)
    return shown


def _accounts(accounts: list[dict[str, Any]]) -> RenderableType:
    shown = _table("ACCOUNT", "RENDERS", "PARKED", "SLOTS", "HELD BACK")
    # Those that somebody must look at come first.
    for one in sorted(accounts, key=lambda one: (one["held"] is None, -sum(one["states"].values()), one["name"])):
        taken, limit = one["slots"]["taken"], one["slots"]["limit"]
        slots = f"{taken}/{limit}" if limit is not None else str(taken or "")
        row = (str(sum(one["states"].values())), str(one["parked"] or ""), slots)
        shown.add_row(plain(one["name"]), *row, Text(one["held"] or "", style="bold yellow"))
    return shown


def _failures(failures: list[dict[str, Any]]) -> RenderableType:
    shown = _table("AGO", "STATE", "ID", "NAME", "WHY")
    shown.columns[2].min_width = 32
    for one in failures:
        name = Text(plain(one["name"] or ""))
        shown.add_row(views.age(one["at"]), views.state_text(one["state"]), one["id"], name, Text(one["why"]))
    return shown


COMMANDS = (top,)
