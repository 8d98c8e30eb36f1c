"""`renderline quarantine`: messages and records that could not be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from renderline.tenants import COMMAND_LINE
from workers.cli import views
from workers.cli.errors import CommandError, ExitCode, plain
from workers.cli.results import Step, report
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.ledger.quarantine import Entry, Quarantine

_MOST = 11_000
_IDS = click.argument("ids", metavar="ENTRY...", nargs=-1)
_ALL = click.option("--all", "every", is_flag=True, help="Every entry to which it applies.")


@click.group()
def quarantine() -> None:
    """Messages and records that could not be read. They hold up no others."""


@quarantine.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True, help="How many at most.")
@json_option
@pass_session
def list_entries(session: Session, limit: int) -> None:
    """List them, newest first: what it is, where it was, and why it could not be read."""
    found = [_as_json(one) for one in _quarantine(session).entries(limit=limit)]
    session.answer(found, lambda: _listed(found))


def _listed(entries: list[dict[str, Any]]) -> Any:
    if not entries:
        return Text("nothing in quarantine", style="dim")
    rows = [
        (one["id"], one["what"], one["where"], one["render_id"] or "", views.age(one["at"]), plain(one["reason"]))
        for one in entries
    ]
    return views.plain_table(("ENTRY", "WHAT", "WHERE", "RENDER", "AGO", "REASON"), rows)


@quarantine.command()
@click.argument("ids", metavar="ENTRY...", nargs=-1, required=True)
@click.option("--body", is_flag=True, help="Show the body too. It may hold scripts and personal data.")
@json_option
@pass_session
def show(session: Session, ids: Sequence[str], body: bool) -> None:
    """Show entries: reason, place, size and the names of the headers; the body only with --body."""
    store = _quarantine(session)
    found = [_shown(store, one, body) for one in dict.fromkeys(ids)]
    session.answer(found, lambda: Group(*(views.pairs([*_rows(one), ("", " ")]) for one in found)))


def _shown(store: Quarantine, one: str, body: bool) -> dict[str, Any]:
    from renderline.ledger.quarantine import EntryNotFound

    try:
        shown, content = _as_json(store.entry(one)), store.content(one)
    except EntryNotFound:
        raise CommandError(_missing(one), ExitCode.NOT_FOUND) from None
    shown["headers"] = [plain(name) for name in content.headers] if content else []
    if body:
        shown["body"] = content.body.decode(errors="backslashreplace") if content else None
    return shown


def _rows(shown: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, plain(", ".join(value) if isinstance(value, list) else value)) for name, value in shown.items()]


@quarantine.command()
@_IDS
@_ALL
@json_option
@pass_session
@click.pass_context
def drop(context: click.Context, session: Session, ids: Sequence[str], every: bool) -> None:
    """Delete entries. A message is gone then, and a request in it is never rendered."""
    session.change()
    store = _quarantine(session)
    report(context, session, [_step(store.drop, one, "dropped") for one in _chosen(store, ids, every)])


@quarantine.command()
@_IDS
@_ALL
@json_option
@pass_session
@click.pass_context
def requeue(context: click.Context, session: Session, ids: Sequence[str], every: bool) -> None:
    """Put messages back into their queues, unchanged, once their cause is gone.

    Deploy the version that reads them first: a worker that cannot read one quarantines it again. With --all every
    message is requeued that was kept whole.
    """
    session.change()
    store = _quarantine(session)
    report(context, session, [_step(store.requeue, one, "requeued") for one in _chosen(store, ids, every, whole=True)])


def _chosen(store: Quarantine, ids: Sequence[str], every: bool, *, whole: bool = False) -> list[str]:
    if every == bool(ids):
        raise click.UsageError("give either the ids of entries or --all")
    if ids:
        return list(dict.fromkeys(ids))
    # The oldest first: a request then keeps its place before later ones.
    return [one.id for one in reversed(store.entries(limit=_MOST)) if one.whole or not whole]


def _step(act: Callable[[str], Entry], one: str, done: str) -> Step:
    from renderline.ledger.quarantine import EntryNotFound, NotRequeued

    try:
        entry = act(one)
    except EntryNotFound:
        return Step(one, False, "", _missing(one))
    except NotRequeued as why:
        return Step(one, False, "kept", f"{one} was not requeued: {why}")
    return Step(one, True, done, entry.where)


def _missing(one: str) -> str:
    return f"no entry {one} in quarantine"


def _as_json(entry: Entry) -> dict[str, Any]:
    from renderline.ledger import iso

    return {**dataclasses.asdict(entry), "at": iso(entry.at)}


def _quarantine(session: Session) -> Quarantine:
    from renderline.ledger import Audit
    from renderline.ledger.quarantine import Quarantine, log_action

    audit = Audit(session.ledger.redis, prefix=session.ledger.prefix)

    def note(action: str, entry_id: str, where: str) -> None:
        log_action(action, entry_id, where)
        audit.note(action, COMMAND_LINE, f"quarantine {entry_id}")

    return Quarantine(session.ledger.redis, prefix=session.ledger.prefix, on_action=note)


COMMANDS = (quarantine,)
