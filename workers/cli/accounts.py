"""Commands on vendor accounts: which there are, and holding their submissions back."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from workers.cli import views
from workers.cli.session import Session, json_option, pass_session
from workers.cli.trouble import Code, Trouble, plain

_ACCOUNT = click.argument("account", metavar="ACCOUNT")


@click.command()
@json_option
@pass_session
def accounts(session: Session) -> None:
    """List the configured vendor accounts, without their credentials."""
    paused, held = session.operations.paused(), session.operations.held()
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
    """Submit nothing more for an account; what runs at the vendor is followed on."""
    _known(session, account)
    session.operations.pause(account)
    _answer(session, account, paused=True)


@click.command()
@_ACCOUNT
@json_option
@pass_session
@click.pass_context
def resume(context: click.Context, session: Session, account: str) -> None:
    """Let an account go on: lifts a pause, the vendor's wish to wait, an open circuit, a hold.

    What waited goes on within a minute.
    """
    _known(session, account)
    was = session.operations.resume(account)
    _answer(session, account, paused=False)
    if not was:
        raise Trouble(f"account {account} was not held back")


def _known(session: Session, account: str) -> None:
    names = session.settings.account_names
    # The accounts may be configured for the workers alone; then any name is taken.
    if names and account not in names and account not in session.operations.paused():
        raise Trouble(f"no account {account}; known: {', '.join(names)}", Code.NOT_FOUND)


def _answer(session: Session, account: str, *, paused: bool) -> None:
    word = "paused" if paused else "resumed"
    session.answer({"account": account, "paused": paused}, lambda: Text(f"{account} {word}"))


COMMANDS = (accounts, pause, resume)
