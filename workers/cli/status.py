"""`renderline status` and `renderline list`: records of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from renderline.contract import render_id_for_key
from renderline.tenants import DEFAULT
from workers.cli import views, waiting
from workers.cli.errors import ExitCode, print_error
from workers.cli.filters import filter_options
from workers.cli.render_page import render_page
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.ledger import Filter, Queries


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--key", "keys", metavar="KEY", multiple=True, help="The render of this idempotency key; repeatable.")
@click.option("--tenant", metavar="TENANT", default=DEFAULT, show_default=True, help="The tenant of --key.")
@click.option("--wait", is_flag=True, help="Wait until they end; the exit code tells the outcome.")
@waiting.timeout_option
@waiting.until_option
@json_option
@pass_session
@click.pass_context
def status(
    context: click.Context,
    session: Session,
    ids: Sequence[str],
    keys: Sequence[str],
    tenant: str,
    wait: bool,
    timeout: float | None,
    until: waiting.Until,
) -> None:
    """Show renders by their ids. Of one there is everything: why it is not done yet, its hooks, its timeline.

    `status` and `show` are the same command.
    """
    wanted = list(dict.fromkeys([*ids, *(render_id_for_key(key, tenant) for key in keys)]))
    if not wanted:
        raise click.UsageError("Missing argument 'ID...'")
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    if until != "ended" and not wait:
        raise click.UsageError("--until needs --wait")
    found = {one: record for one, record in zip(wanted, session.ledger.records(wanted), strict=True) if record}
    code = ExitCode.DONE
    if wait and found:
        waited = waiting.wait(session, list(found), timeout=timeout, until=until)
        found = {one: record for one, record in zip(found, session.ledger.records(list(found)), strict=True) if record}
        code = waited.code
    records = list(found.values())
    session.answer(records, lambda: render_page(session, records[0]) if len(records) == 1 else _several(records))
    missing = [one for one in wanted if one not in found]
    for one in missing:
        print_error(f"no render {one} on {session.redis_name}")
    context.exit(ExitCode.NOT_FOUND if missing else code)


def _several(records: Sequence[views.Record]) -> Any:
    return views.table(records) if records else None


@click.command("list")
@click.argument("words", metavar="[SEARCH]...", nargs=-1)
@filter_options
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
@click.option("--cursor", help="Show the next page after this cursor.")
@json_option
@pass_session
def list_renders(
    session: Session,
    wanted: Filter,
    limit: int,
    cursor: str | None,
) -> None:
    """List renders, newest first: all, or those that the options and the search choose.

    \b
    renderline list customer 317
    renderline list --state failed --code 50010 --since 1h
    renderline list 'state:failed name:"Customer 317"'

    With --json: {"renders": [...], "cursor": ...}; the cursor is null on the last page. Times are ISO 8601, or how
    long ago: 30m, 2h, 7d.
    """
    # A wrong setting is no wrong cursor: the settings are read here.
    queries = session.queries
    try:
        records, onward = _page(queries, wanted, limit=limit, cursor=cursor)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--cursor") from None
    session.answer({"renders": records, "cursor": onward}, lambda: _listed(records, onward))


def _page(queries: Queries, wanted: Any, *, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    # With filters, a page may be shorter than its limit although more follow.
    records: list[dict[str, Any]] = []
    while True:
        more, cursor = queries.page(wanted, limit=limit - len(records), cursor=cursor)
        records += more
        if cursor is None or len(records) >= limit:
            return records, cursor


def _listed(records: Sequence[views.Record], onward: str | None) -> Any:
    if not records:
        return Text("no renders", style="dim")
    if onward is None:
        return views.table(records)
    return Group(views.table(records), Text(f"more: --cursor {onward}", style="dim"))


COMMANDS = (status, list_renders)
