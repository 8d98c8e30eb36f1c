"""`renderline migrate`: the ledger is brought to the schema of this program."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from workers.cli.errors import CommandError
from workers.cli.session import Session, json_option, pass_session


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be renamed, and change nothing.")
@click.option("--force", is_flag=True, help="Migrate although workers of the old version seem to be alive.")
@json_option
@pass_session
def migrate(session: Session, dry_run: bool, force: bool) -> None:
    """Rename keys and fields in Redis after an upgrade that needs it.

    Stop all workers and gateways first. It may be interrupted and run again, and does nothing where nothing is to do.
    """
    from renderline.ledger.migration import Migration, OldWorkersAlive
    from renderline.ledger.schema import VERSION
    from workers.composition.connection import connect

    with connect(session.settings) as redis:
        try:
            done = Migration(redis).run(dry=dry_run, force=force)
        except OldWorkersAlive as problem:
            raise CommandError(str(problem)) from None
    told = {
        "found": done.found or None,
        "schema": VERSION,
        "dry_run": dry_run,
        "keys": dict(sorted(done.keys.items())),
        "records": done.records,
        "fields": done.fields,
    }
    session.answer(told, lambda: _shown(told))


def _shown(told: dict[str, Any]) -> Any:
    if told["found"] in (None, str(told["schema"])):
        return Text(f"the ledger has schema {told['schema']}: nothing to do")
    counts = ", ".join(f"{name} {count}" for name, count in told["keys"].items()) or "none"
    verb = "to rename" if told["dry_run"] else "renamed"
    lines = [
        f"keys {verb}: {counts}",
        f"fields {verb}: {told['fields']} in {told['records']} records",
        f"the ledger has schema {told['found'] if told['dry_run'] else told['schema']}",
    ]
    return Text("\n".join(lines))


COMMANDS = (migrate,)
