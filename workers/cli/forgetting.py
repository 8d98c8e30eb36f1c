"""`renderline forget`: erases what renders hold of people and content."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import click

from renderline.tenants import COMMAND_LINE, DEFAULT
from workers.cli.errors import CommandError, ExitCode
from workers.cli.results import Step, report
from workers.cli.session import Session, json_option, pass_session

_LOOK_EVERY: Final = 0.2


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--key", "keys", metavar="KEY", multiple=True, help="The render of this idempotency key; repeatable.")
@click.option("--tenant", metavar="TENANT", default=DEFAULT, show_default=True, help="Whose the keys are.")
@click.option("--vendor", is_flag=True, help="Delete the render's own project at the vendor too.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and change nothing.")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(0, 3600),
    default=15.0,
    show_default=True,
    help="Seconds to wait for workers.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
@click.pass_context
def forget(
    context: click.Context,
    session: Session,
    ids: tuple[str, ...],
    keys: tuple[str, ...],
    tenant: str,
    vendor: bool,
    dry_run: bool,
    seconds: float,
    yes: bool,
) -> None:
    """Erase renders that have ended: script, name, metadata, hooks, timeline, stored files, and uploads of no other.

    Nothing brings them back. The record stays as a tombstone: id, kind, state, times and cost. The ledger forgets at
    once; workers delete the files, for which this waits (exit code 4: not all is gone yet, they go on). One that
    has not ended is refused (exit code 1): cancel it first. Repeat it to see what is left.
    """
    from renderline.contract import render_id_for_key

    chosen = list(dict.fromkeys((*ids, *(render_id_for_key(key, tenant) for key in keys))))
    if not chosen:
        raise click.UsageError("give IDs, or --key")
    session.change()
    if not (dry_run or yes) and sys.stdin.isatty():
        click.confirm(
            f"Forget {len(chosen)} render{'s' * (len(chosen) > 1)}? Nothing brings them back.", abort=True, err=True
        )
    steps = [_forgotten(session, one, vendor=vendor, dry_run=dry_run) for one in chosen]
    if not dry_run:
        steps = _after_workers(session, steps, seconds)
    if not dry_run and all(step.done for step in steps) and any(step.more["left"] for step in steps):
        session.answer([step.as_json() for step in steps], lambda: None)
        lines = [
            f"render {step.id}: left to delete: {', '.join(step.more['left'])}" for step in steps if step.more["left"]
        ]
        raise CommandError(
            [*lines, "a running worker deletes it; renderline doctor shows the workers"], ExitCode.TIMED_OUT
        )
    report(context, session, steps)


def _forgotten(session: Session, render_id: str, *, vendor: bool, dry_run: bool) -> Step:
    from renderline.forgetting import Forgetter
    from renderline.operations import NewerRecord, RenderNotFound, WrongState

    none: dict[str, Any] = {"forgotten": None, "left": [], "kept": None}
    try:
        done = Forgetter(session.operations).forget(render_id, actor=COMMAND_LINE, vendor=vendor, dry_run=dry_run)
    except RenderNotFound:
        return Step(render_id, False, "", more=none)
    except NewerRecord as error:
        return Step(render_id, False, str((session.ledger.record(render_id) or {}).get("state", "")), str(error), none)
    except WrongState as error:
        return Step(render_id, False, error.state, f"render {render_id} is {error.state}: {error.rule}", none)
    more = {"forgotten": done.record["forgotten"], "left": done.left, "kept": done.kept or None}
    own = [] if done.record["forgotten"] else ["script", "name", "metadata", "hooks", "timeline"]
    things = ", ".join([*own, *done.left]) or "nothing more"
    said = f"would erase: {things}" if dry_run else "forgotten"
    return Step(
        render_id, True, done.record["state"], f"{said}; project kept: {done.kept}" if done.kept else said, more
    )


def _after_workers(session: Session, steps: list[Step], seconds: float) -> list[Step]:
    """Wait until workers have deleted what was left; returns the steps with what is left then."""
    from renderline.ledger.forgetting import Forgetting

    reader, end = Forgetting(session.ledger), time.monotonic() + seconds
    open_ones = [step for step in steps if step.more["left"]]
    while open_ones:
        for step in open_ones:
            record = session.ledger.record(step.id)
            step.more["left"][:] = reader.left(step.id, account=record["account"]) if record else []
        open_ones = [step for step in open_ones if step.more["left"]]
        if time.monotonic() > end:
            break
        if open_ones:
            time.sleep(_LOOK_EVERY)
    return steps


COMMANDS = (forget,)
