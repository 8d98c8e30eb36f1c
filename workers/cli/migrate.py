"""`renderline migrate`: brings the ledger to the schema of this program."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from workers.cli.errors import CommandError
from workers.cli.session import Session, json_option, pass_session


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be renamed, and change nothing.")
@click.option("--force", is_flag=True, help="Migrate even if workers of the old version were alive in the last minute.")
@json_option
@pass_session
def migrate(session: Session, dry_run: bool, force: bool) -> None:
    """Rename keys and fields in Redis after an upgrade that needs it.

    Stop all workers and gateways first, and wait a minute. It may be interrupted and run again.
    """
    from renderline.ledger.migration import Migration, OldWorkersAlive
    from renderline.ledger.schema import VERSION
    from workers.composition.connection import connect

    if not dry_run:
        session.change()
    with connect(session.settings) as redis:
        try:
            done = Migration(redis).run(dry=dry_run, force=force)
        except OldWorkersAlive as problem:
            raise CommandError(str(problem)) from None
    outcome = {
        "found": done.found or None,
        "schema": VERSION,
        "dry_run": dry_run,
        "keys": dict(sorted(done.keys.items())),
        "records": done.records,
        "fields": done.fields,
    }
    session.answer(outcome, lambda: _shown(outcome))


def _shown(outcome: dict[str, Any]) -> Any:
    if outcome["found"] in (None, str(outcome["schema"])) and not outcome["keys"]:
        return Text(f"the ledger has schema {outcome['schema']}: nothing to do")
    counts = ", ".join(f"{name} {count}" for name, count in outcome["keys"].items()) or "none"
    verb = "to rename" if outcome["dry_run"] else "renamed"
    lines = [
        f"keys {verb}: {counts}",
        f"fields {verb}: {outcome['fields']} in {outcome['records']} records",
        f"the ledger has schema {outcome['found'] if outcome['dry_run'] else outcome['schema']}",
    ]
    return Text("\n".join(lines))


COMMANDS = (migrate,)
