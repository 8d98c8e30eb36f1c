"""`renderline dead`: hooks that are dead letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.console import Group
from rich.text import Text

from renderline.tenants import COMMAND_LINE
from workers.cli import views
from workers.cli.errors import CommandError, ExitCode
from workers.cli.results import Step, report
from workers.cli.session import Session, json_option, pass_session

_ID = click.argument("render_id", metavar="ID", required=False)
_HOOK = click.argument("hook", metavar="HOOK", type=click.IntRange(min=0), required=False)
_ALL = click.option("--all", "every", is_flag=True, help="All dead letters of all renders.")
_MOST = 10_000

_Operation = Callable[..., dict[str, Any]]


@click.group()
def dead() -> None:
    """Dead letters, which are hooks that failed for good: list, show, replay, discard.

    HOOK is the hook's number in its request, from 0. Without it, all dead hooks of the render are taken.
    """


@dead.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True, help="How many at most.")
@json_option
@pass_session
def list_letters(session: Session, limit: int) -> None:
    """List dead letters, newest first."""
    letters = session.queries.dead_letters(limit=limit)
    session.answer(letters, lambda: _shown(letters))


def _shown(letters: list[dict[str, Any]]) -> Any:
    if not letters:
        return Text("no dead letters", style="dim")
    rows = [
        (one["id"], one["hook"], one["type"], one["attempts"], views.age(one["at"]), one["name"], one["error"] or "")
        for one in letters
    ]
    return views.plain_table(("ID", "HOOK", "TYPE", "ATTEMPTS", "AGO", "NAME", "ERROR"), rows)


@dead.command()
@click.argument("render_id", metavar="ID")
@_HOOK
@json_option
@pass_session
def show(session: Session, render_id: str, hook: int | None) -> None:
    """Show the dead hooks of a render, or one hook: its request and its last error."""
    record = session.ledger.record(render_id)
    if record is None:
        raise CommandError(f"no render {render_id}", ExitCode.NOT_FOUND)
    asked = session.ledger.hooks_of(render_id)
    hooks = [
        {"id": render_id, "hook": index, **outcome, "request": asked[index]}
        for index, outcome in enumerate(record["hooks"])
        if (outcome["state"] == "dead" if hook is None else index == hook)
    ]
    if not hooks:
        what = "no dead hook" if hook is None else f"no hook {hook}"
        raise CommandError(f"render {render_id} has {what}", ExitCode.NOT_FOUND)
    session.answer(hooks, lambda: Group(*(views.pairs(_rows(one)) for one in hooks)))


def _rows(hook: dict[str, Any]) -> list[tuple[str, Any]]:
    asked = [(name, value) for name, value in hook["request"].items() if name != "type"]
    shown = [(name, hook[name]) for name in ("hook", "type", "state", "attempts", "at", "error")]
    return [*shown, *asked, ("", " ")]


@dead.command()
@_ID
@_HOOK
@_ALL
@json_option
@pass_session
@click.pass_context
def replay(context: click.Context, session: Session, render_id: str | None, hook: int | None, every: bool) -> None:
    """Deliver dead hooks again, under the same webhook id."""
    session.change()
    chosen = _chosen(session, render_id, hook, every)
    report(context, session, [_step(session, *one, session.operations.replay, "replayed") for one in chosen])


@dead.command()
@_ID
@_HOOK
@_ALL
@json_option
@pass_session
@click.pass_context
def discard(context: click.Context, session: Session, render_id: str | None, hook: int | None, every: bool) -> None:
    """Remove dead letters from the list without delivering them. The render stays undelivered."""
    session.change()
    chosen = _chosen(session, render_id, hook, every)
    report(context, session, [_step(session, *one, session.operations.discard, "discarded") for one in chosen])


def _chosen(session: Session, render_id: str | None, hook: int | None, every: bool) -> list[tuple[str, int]]:
    if every == (render_id is not None):
        raise click.UsageError("give either the ID of a render or --all")
    if render_id is not None and hook is not None:
        return [(render_id, hook)]
    letters = session.queries.dead_letters(limit=_MOST)
    found = [(one["id"], one["hook"]) for one in reversed(letters) if every or one["id"] == render_id]
    if not found and not every:
        raise CommandError(f"no dead letter of a render {render_id}", ExitCode.NOT_FOUND)
    return found


def _step(session: Session, render_id: str, index: int, operate: _Operation, word: str) -> Step:
    from renderline.operations import HookNotDead, HookNotFound, RenderNotFound

    absent = f"no dead letter of render {render_id}, hook {index}"
    try:
        record = operate(render_id, index, actor=COMMAND_LINE)
        return Step(render_id, True, record["state"], f"hook {index} {word}", {"hook": index})
    except (RenderNotFound, HookNotFound):
        return Step(render_id, False, "", absent, {"hook": index})
    except HookNotDead as error:
        return Step(render_id, False, error.render_state, f"{absent}: it is {error.state}", {"hook": index})


COMMANDS = (dead,)
