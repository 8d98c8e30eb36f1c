"""`renderline reindex`: makes the indexes of the search and the totals anew."""

from __future__ import annotations

import time
from typing import Any

import click
from rich.text import Text

from workers.cli.errors import ExitCode, print_error
from workers.cli.session import Session, json_option, pass_session

_EVERY = 5.0
"""Seconds between two lines of progress."""


@click.command()
@json_option
@pass_session
@click.pass_context
def reindex(context: click.Context, session: Session) -> None:
    """Make the indexes of the search, and the totals, anew.

    After an upgrade from a version without them, and after RENDERLINE_LABELS has changed in all processes. Workers may
    run meanwhile. It may be interrupted and run again.
    """
    from renderline.ledger.reindex import Reindex

    session.change()
    labels = session.settings.labels
    count = session.ledger.redis.zcard(session.ledger.keys.renders)
    shown = time.monotonic()
    for outcome in Reindex(session.ledger, labels).run():
        if time.monotonic() - shown > _EVERY:
            shown = time.monotonic()
            session.progress_console.print(f"{outcome.seen:,} of {count:,} renders")
    result = {
        "renders": outcome.seen,
        "labels": list(labels),
        "unreadable": outcome.unreadable,
        "dropped": outcome.dropped,
        "done": outcome.done,
    }
    session.answer(result, lambda: _shown(result))
    for one in outcome.unreadable:
        print_error(f"{one}: its data cannot be read, so it is found by its id alone; see renderline quarantine")
    if not outcome.done:
        print_error("another reindex has begun meanwhile; it completes the totals")
    context.exit(ExitCode.DONE if outcome.done else ExitCode.FAILED)


def _shown(result: dict[str, Any]) -> Text:
    from renderline.explanation.wording import counted

    by = ", ".join(["name", *result["labels"]])
    dropped = counted(result["dropped"], "entry", "entries")
    gone = f"; {dropped} of forgotten renders dropped" if result["dropped"] else ""
    return Text(f"{counted(result['renders'], 'render is', 'renders are')} indexed by {by}, and counted{gone}")


COMMANDS = (reindex,)
