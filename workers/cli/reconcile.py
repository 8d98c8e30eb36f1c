"""Commands after the ledger was restored from a snapshot: restore, reconcile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from renderline.tenants import COMMAND_LINE
from workers.cli.errors import CommandError, ExitCode, plain, print_error
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.reconciliation.differences import Difference
    from renderline.reconciliation.reconciler import Reconciler, Report

_SHOWN = 200
"""Lines of a table; `--json` has all."""


@click.command()
@json_option
@pass_session
def restore(session: Session) -> None:
    """Say that the ledger was restored from a backup, before workers start.

    From then on nothing is submitted, polled, delivered or deleted, until `renderline reconcile --apply` has settled
    what the vendor has done since the backup. Requests are accepted.
    """
    from renderline.ledger import Doubt

    session.change()
    doubt = Doubt(session.ledger)
    begun = doubt.begin("an operator restored it")
    state = doubt.state()
    outcome = {"in_doubt": True, "begun": begun, "why": state.why if state else None}
    session.answer(
        outcome,
        lambda: Text(
            "the ledger is in doubt: nothing is submitted, polled, delivered or deleted\n"
            "next: renderline reconcile, then renderline reconcile --apply"
        ),
    )


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--apply", "apply_", is_flag=True, help="Carry the proposals out: all, or those of the IDs.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long a render takes at most, until the project list shows it. Else twice what 9 of 10 renders of its "
    "kind take, or its deadline. 0: the list shows renders that are not finished too.",
)
@json_option
@pass_session
@click.pass_context
def reconcile(
    context: click.Context, session: Session, ids: tuple[str, ...], apply_: bool, patience: float | None
) -> None:
    """Compare a restored ledger with the vendor, and settle the differences.

    Without `--apply` it reads only, with calls that cost nothing. With it the doubt about the ledger ends once no
    difference is left, and work goes on. Exit code 1: differences are left.
    """
    from renderline.reconciliation.reconciler import NotInDoubt

    if apply_:
        session.change()
    reconciler = _reconciler(session, patience)
    try:
        found = reconciler.find()
    except NotInDoubt:
        raise CommandError(
            "the ledger is not in doubt: nothing to reconcile; after restoring a backup: renderline restore",
            ExitCode.REFUSED,
        ) from None
    missing = sorted(set(ids) - {one.render_id for one in found.differences})
    chosen = [one for one in found.differences if not ids or one.render_id in ids]
    done: list[Difference] = []
    left = found
    if apply_:
        done = reconciler.settle(chosen, actor=COMMAND_LINE).done
        left = reconciler.find()
        if not left.differences and not left.unread:
            reconciler.end(actor=COMMAND_LINE)
    ended = apply_ and not left.differences and not left.unread
    _answer(session, found, left, chosen, done, applied=apply_, ended=ended)
    for account, why in left.unread.items():
        print_error(f"account {account} could not be compared: {why}")
    for one in missing:
        print_error(f"no difference about render {one}")
    if missing:
        context.exit(ExitCode.NOT_FOUND)
    context.exit(ExitCode.DONE if not left.differences and not left.unread else ExitCode.FAILED)


def _reconciler(session: Session, patience: float | None) -> Reconciler:
    from renderline.reconciliation.reconciler import Reconciler

    settings = session.settings
    return Reconciler(
        session.ledger,
        session.services.dispatcher,
        session.services.submitter.accounts,
        retention=settings.retention,
        keeps_projects=not settings.delete_stored_projects,
        patience=patience,
    )


def _answer(
    session: Session,
    found: Report,
    left: Report,
    chosen: list[Difference],
    done: list[Difference],
    *,
    applied: bool,
    ended: bool,
) -> None:
    outcome: dict[str, Any] = {
        "compared": found.seen,
        "differences": [one.as_json() for one in found.differences],
        "unread": found.unread,
        "applied": [one.render_id for one in done],
        "left": len(left.differences),
        "ended": ended,
    }

    def shown() -> Text:
        from renderline.explanation.wording import counted

        lines = [_line(one) for one in chosen[:_SHOWN]]
        if len(chosen) > _SHOWN:
            lines.append(f"... and {len(chosen) - _SHOWN} more: --json shows all")
        seen = counted(found.seen, "unfinished render")
        lines.append(f"{seen} compared, {counted(len(found.differences), 'difference')}")
        if applied:
            lines.append(f"{len(done)} settled, {len(left.differences)} left")
        if ended:
            lines.append("the ledger is trusted again: work goes on")
        elif not applied:
            lines.append("nothing was changed; --apply carries the proposals out")
        return Text("\n".join(lines))

    session.answer(outcome, shown)


def _line(one: Difference) -> str:
    project = f"  project {plain(one.project.project_id)}" if one.project else ""
    at = ""
    if one.resubmit_at is not None:
        at = time.strftime("  not before %Y-%m-%d %H:%M:%S UTC", time.gmtime(one.resubmit_at))
    state = one.render.state if one.render else "unknown"
    return f"{one.render_id}  {state:11}  {one.proposal:8}  {plain(one.reason)}{project}{at}"


COMMANDS = (restore, reconcile)
