"""Commands on vendor accounts: list, pause, resume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.text import Text

from renderline.tenants import COMMAND_LINE
from workers.cli import views
from workers.cli.errors import CommandError, ExitCode, plain
from workers.cli.session import Session, json_option, pass_session

_ACCOUNT = click.argument("account", metavar="ACCOUNT")


@click.command()
@json_option
@pass_session
def accounts(session: Session) -> None:
    """List the configured vendor accounts, without their credentials."""
    paused, held = session.commands.paused(), session.commands.holds()
    rows = [
        {
            "name": account.name,
            "v3": account.has_v3,
            "v2": account.has_v2,
            "base_url": account.base_url,
            "max_requests_per_second": account.max_requests_per_second,
            "max_concurrent_renders": account.max_concurrent_renders,
            "paused": account.name in paused,
            "held": held.get(account.name),
        }
        for account in session.settings.accounts
    ]
    session.answer(rows, lambda: _shown(rows))


def _shown(rows: list[dict[str, Any]]) -> Any:
    if not rows:
        return Text("no vendor account is configured here", style="dim")
    shown = [
        (
            row["name"],
            " ".join(api for api in ("v3", "v2") if row[api]),
            row["base_url"],
            row["max_requests_per_second"] or "any",
            row["max_concurrent_renders"] or "any",
            "paused" if row["paused"] else plain(row["held"] or ""),
        )
        for row in rows
    ]
    return views.plain_table(("ACCOUNT", "API", "BASE URL", "CALLS/S", "RENDERS", ""), shown)


@click.command()
@_ACCOUNT
@json_option
@pass_session
def pause(session: Session, account: str) -> None:
    """Submit nothing more for an account. Renders at the vendor are still polled."""
    with _account_found():
        session.operations.pause(account, actor=COMMAND_LINE)
    _answer(session, account, paused=True)


@click.command()
@_ACCOUNT
@json_option
@pass_session
def resume(session: Session, account: str) -> None:
    """Let an account go on: lift a pause, the vendor's Retry-After, an open circuit, a hold.

    Parked renders go on within a minute.
    """
    with _account_found():
        was_held = session.operations.resume(account, actor=COMMAND_LINE)
    _answer(session, account, paused=False)
    if not was_held:
        raise CommandError(f"account {account} was not held back")


@contextmanager
def _account_found() -> Iterator[None]:
    from renderline.operations import AccountNotFound

    try:
        yield
    except AccountNotFound as error:
        raise CommandError(f"no account {error.name}; known: {', '.join(error.known)}", ExitCode.NOT_FOUND) from None


def _answer(session: Session, account: str, *, paused: bool) -> None:
    word = "paused" if paused else "resumed"
    session.answer({"account": account, "paused": paused}, lambda: Text(f"{account} {word}"))


COMMANDS = (accounts, pause, resume)
