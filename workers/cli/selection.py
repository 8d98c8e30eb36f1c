"""Operations on many renders: those of the filters on the command line, after a question."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from rich.console import Group, RenderableType
from rich.text import Text

from renderline.tenants import COMMAND_LINE
from workers.cli import views
from workers.cli.errors import CommandError, ExitCode, print_error
from workers.cli.session import Session

if TYPE_CHECKING:
    from renderline.bulk import Action, Bulk, BulkResult
    from renderline.ledger import Filter

F = TypeVar("F", bound=Callable[..., Any])

_SHOWN = 20
"""Renders that are listed before the question."""


@dataclass(frozen=True)
class Selection:
    """How an operation takes many renders."""

    every: bool
    limit: int
    dry_run: bool
    yes: bool

    def selects(self, ids: tuple[str, ...], wanted: Filter) -> bool:
        """Return whether filters choose the renders, not ids; raises UsageError for both, and for neither."""
        from renderline.ledger import Filter

        filters = self.every or wanted != Filter()
        if ids and filters:
            raise click.UsageError("give either IDs or filters (--state, --since ...), not both")
        if not ids and not filters:
            raise click.UsageError("Missing argument 'ID...': give IDs, a filter such as --state failed, or --all")
        return filters


_OPTIONS = {
    "every": click.option("--all", "every", is_flag=True, help="Every render to which it applies, without a filter."),
    "limit": click.option(
        "--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="How many at most."
    ),
    "dry_run": click.option("--dry-run", is_flag=True, help="Change nothing, and show which renders would be taken."),
    "yes": click.option("--yes", is_flag=True, help="Do not ask; needed with filters where nobody can be asked."),
}


def selection_options(command: F) -> F:
    """Add the options of an operation on many renders to a command, which gets them as `how`, a `Selection`."""

    @functools.wraps(command)
    def chosen(*args: Any, **options: Any) -> Any:
        return command(*args, how=Selection(**{name: options.pop(name) for name in _OPTIONS}), **options)

    for option in reversed(_OPTIONS.values()):
        chosen = option(chosen)
    return cast("F", chosen)


def run_selected(
    context: click.Context, session: Session, action: Action, wanted: Filter, *, how: Selection, reason: str = ""
) -> None:
    """Do an operation to the renders of a filter, once somebody has seen how many they are.

    Ends with the exit code 1 if a render was refused.
    """
    bulk = _bulk(session, dry_run=how.dry_run)
    found = _found(bulk, action, wanted, how)
    if how.dry_run or not found.done:
        session.answer(_json(found, dry_run=how.dry_run), lambda: _foreseen(session, action, found))
        return
    if not how.yes:
        _ask(session, action, found)
    done = bulk.on(action, found.done, actor=COMMAND_LINE, reason=reason)
    answer = {**_json(done, dry_run=False), "more": found.more}
    session.answer(answer, lambda: Text(f"{action}: done for {_renders(len(done.done))}{_more(found)}"))
    for one, why in done.refused:
        print_error(f"{one}: {why}")
    context.exit(ExitCode.FAILED if done.refused else ExitCode.DONE)


def _bulk(session: Session, *, dry_run: bool) -> Bulk:
    from renderline.bulk import Bulk
    from renderline.search import Search

    operations = session.services.operations if dry_run else session.operations
    return Bulk(Search(session.ledger, session.queries), operations)


def _found(bulk: Bulk, action: Action, wanted: Filter, how: Selection) -> BulkResult:
    """Return which renders would be taken."""
    from renderline.bulk import BulkRefused, BulkResult

    ids: list[str] = []
    cursor: str | None = None
    try:
        while True:
            left = how.limit - len(ids)
            page = bulk.run(
                action, wanted, actor=COMMAND_LINE, dry_run=True, limit=left, every=how.every, cursor=cursor
            )
            ids += page.done
            cursor = page.cursor
            if cursor is None or len(ids) >= how.limit:
                return BulkResult(len(ids), ids, more=cursor is not None)
    except BulkRefused as error:
        raise CommandError(str(error), ExitCode.REFUSED) from None


def _ask(session: Session, action: Action, found: BulkResult) -> None:
    if not sys.stdin.isatty() or session.as_json:
        raise CommandError(
            f"{action} would take {_renders(len(found.done))}: add --yes to do it, or --dry-run to see which they are",
            ExitCode.REFUSED,
        )
    session.progress_console.print(_foreseen(session, action, found))
    click.confirm(f"{action} {_renders(len(found.done))}?", abort=True, err=True)


def _foreseen(session: Session, action: Action, found: BulkResult) -> RenderableType:
    if not found.done:
        return Text(f"{action} applies to no render of these", style="dim")
    records = [record for record in session.ledger.records(found.done[:_SHOWN]) if record]
    parts: list[RenderableType] = [views.table(records)]
    if len(found.done) > _SHOWN:
        parts.append(Text(f"and {len(found.done) - _SHOWN:,} more", style="dim"))
    parts.append(Text(f"{action} would take {_renders(len(found.done))}{_more(found)}"))
    return Group(*parts)


def _renders(count: int) -> str:
    return f"{count:,} render{'s' if count != 1 else ''}"


def _more(found: BulkResult) -> str:
    return "; more match, so the same command again takes those" if found.more else ""


def _json(found: BulkResult, *, dry_run: bool) -> dict[str, Any]:
    return {
        "matched": found.matched,
        "done": found.done,
        "refused": [{"id": one, "why": why} for one, why in found.refused],
        "more": found.more,
        "dry_run": dry_run,
    }
