"""`renderline audit-log`: what people did to renders, hooks, accounts, keys and the quarantine."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from workers.cli import views
from workers.cli.errors import plain
from workers.cli.session import Session, json_option, pass_session

_MOST = 20_000


@click.command("audit-log")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True, help="How many at most.")
@click.option("--tenant", metavar="TENANT", help="Only what API keys of this tenant did.")
@json_option
@pass_session
def audit_log(session: Session, limit: int, tenant: str | None) -> None:
    """Show who did what, newest first: operations on renders, hooks and accounts, API keys, the quarantine."""
    from renderline.ledger import Audit

    audit = Audit(session.ledger.redis, prefix=session.ledger.prefix)
    found = [entry._asdict() for entry in audit.entries(limit=limit, tenant=tenant)]
    session.answer(found, lambda: _table(found))


def _table(entries: list[dict[str, Any]]) -> Any:
    if not entries:
        return Text("nothing yet", style="dim")
    rows = [
        (one["at"], _who(one), one["tenant"] or "all", one["action"], plain(one["target"]), plain(one["outcome"]))
        for one in entries
    ]
    return views.plain_table(("AT", "WHO", "TENANT", "ACTION", "TARGET", "OUTCOME"), rows)


def _who(entry: dict[str, Any]) -> str:
    by = f"key {entry['key']}" if entry["key"] else entry["door"]
    return plain(f"{by} ({entry['name']})" if entry["name"] else by)


COMMANDS = (audit_log,)
