"""`renderline explain`: why renders are not done yet, or what they ended with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from renderline.contract import render_id_for_key
from renderline.tenants import DEFAULT
from workers.cli import views
from workers.cli.errors import ExitCode, plain, print_error
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.explanation import Explanation


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--key", "keys", metavar="KEY", multiple=True, help="The render of this idempotency key; repeatable.")
@click.option("--tenant", metavar="TENANT", default=DEFAULT, show_default=True, help="The tenant of --key.")
@json_option
@pass_session
@click.pass_context
def explain(context: click.Context, session: Session, ids: Sequence[str], keys: Sequence[str], tenant: str) -> None:
    """Say why renders are not done yet, what ends the wait, and what can be done. Times are in UTC."""
    wanted = list(dict.fromkeys([*ids, *(render_id_for_key(key, tenant) for key in keys)]))
    if not wanted:
        raise click.UsageError("Missing argument 'ID...'")
    records = [record for record in session.ledger.records(wanted) if record]
    found = session.explainer.explain(records)
    answer = [
        {"id": record["id"], "state": record["state"], **one._asdict()}
        for record, one in zip(records, found, strict=True)
    ]
    session.answer(answer, lambda: _shown(records, found))
    missing = sorted({*wanted} - {record["id"] for record in records}, key=wanted.index)
    for one in missing:
        print_error(f"no render {one}")
    context.exit(ExitCode.NOT_FOUND if missing else ExitCode.DONE)


def _shown(records: Sequence[dict[str, Any]], found: Sequence[Explanation]) -> Any:
    if not records:
        return None
    if len(records) == 1:
        return Text(plain(found[0].text))
    return Group(
        *(
            Text.assemble(f"{record['id']}  ", views.state_text(record["state"]), f"  {plain(one.text)}")
            for record, one in zip(records, found, strict=True)
        )
    )


COMMANDS = (explain,)
