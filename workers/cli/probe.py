"""`renderline probe`: which of our assumptions hold at the vendor, for the user's own account."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from workers.cli.errors import CommandError, ExitCode, print_error
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.probe.finding import Finding
    from renderline.probe.probe import Probe


@click.command()
@click.option("--account", default="default", show_default=True, help="The account to probe.")
@click.option(
    "--patience",
    type=click.FloatRange(0, 600),
    default=8.0,
    show_default=True,
    help="Seconds to look for what may come late: a draft in the list, a deletion.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the draft is made.")
@json_option
@pass_session
@click.pass_context
def probe(context: click.Context, session: Session, account: str, patience: float, yes: bool) -> None:
    """Ask the vendor which assumptions of docs/vendor.md hold for an account, and say which settings follow.

    All calls are free: reads, one draft that is never exported, and its deletion, which also Ctrl-C does not skip. They
    go through the account's rate limit and use its shared token. Exit code 1: something differs, or the draft is left.
    """
    from workers.processes.leaving import NUMBERS, ignored

    probe = _prepared(session, account, patience)
    if not yes and sys.stdin.isatty():
        click.confirm("This makes one draft (free) in the account and deletes it. Go on?", abort=True, err=True)
    results, left = [], None
    with _ended_by_signals():
        try:
            for finding in probe.results():
                results.append(finding)
                if sys.stderr.isatty():
                    click.echo(f"{finding.id}: {finding.verdict}", err=True)
        finally:
            # It is short.
            with ignored(*NUMBERS):
                left = probe.clean_up()
            if left:
                print_error(f"delete it by hand: {left}")
    value = {"account": account, "results": [one.as_json() for one in results], "left": left}
    session.answer(value, lambda: _table(results))
    differs = any(one.verdict == "differs" for one in results)
    context.exit(ExitCode.FAILED if differs or left else ExitCode.DONE)


def _prepared(session: Session, account: str, patience: float) -> Probe:
    from renderline.probe.probe import Probe

    clients = session.services.submitter.accounts.get(account)
    if clients is None:
        known = ", ".join(session.settings.account_names)
        raise CommandError(f"no account {account}; known: {known or 'none'}", ExitCode.NOT_FOUND)
    own = next(one for one in session.settings.accounts if one.name == account)
    return Probe(clients, own.base_url, own.v2_base_url, own.v2_secret_key or "", patience)


def _table(results: list[Finding]) -> Any:
    from rich import box
    from rich.table import Table

    marks = {"holds": "yes", "differs": "NO", "unknown": "?"}
    table = Table("assumption", "holds", "found", "setting that follows", box=box.SIMPLE, pad_edge=False)
    for one in results:
        table.add_row(one.assumption, marks[one.verdict], one.found, one.setting)
    return table


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


COMMANDS = (probe,)
