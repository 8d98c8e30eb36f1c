"""Commands that change the course of renders: cancel, retry, hold, release, replay, adopt, resubmit, fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from renderline.tenants import COMMAND_LINE
from workers.cli.filters import filter_options
from workers.cli.results import Step, report
from workers.cli.selection import Selection, run_selected, selection_options
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.bulk import Action
    from renderline.ledger import Filter
    from renderline.operations import Operations

_IDS = click.argument("ids", metavar="ID...", nargs=-1)
_ID = click.argument("render_id", metavar="ID")


@click.command()
@_IDS
@click.option("--delete-project", is_flag=True, help="Delete the vendor's project as well; with IDs only.")
@filter_options
@selection_options
@json_option
@pass_session
@click.pass_context
def cancel(
    context: click.Context, session: Session, delete_project: bool, ids: tuple[str, ...], wanted: Filter, how: Selection
) -> None:
    """Cancel renders: those of the IDs, or of the filters.

    Before submission nothing is sent to the vendor. Afterwards a render is no longer polled, and of its hooks only
    those run that asked for render.canceled. The vendor has no cancel: it may finish and charge what it has begun.
    A render that has ended stays as it is (exit code 1).
    """

    def cancel_one(operations: Operations, one: str) -> Step:
        done = operations.cancel(one, actor=COMMAND_LINE, delete_project=delete_project)
        message = f"project {done.project}{f': {done.why}' if done.why else ''}" if delete_project else ""
        return Step(one, True, done.record["state"], message, {"project": done.project, "why": done.why or None})

    if delete_project and not ids:
        raise click.UsageError("--delete-project takes IDs")
    untouched = {"project": "untouched", "why": None}
    _run(context, session, "cancel", ids, wanted, cancel_one, otherwise=untouched, how=how)


@click.command()
@_IDS
@filter_options
@selection_options
@json_option
@pass_session
@click.pass_context
def retry(context: click.Context, session: Session, ids: tuple[str, ...], wanted: Filter, how: Selection) -> None:
    """Start failed or expired renders anew: those of the IDs, or of the filters.

    A retry is a new attempt in the same record, with a project and a price of its own. The attempt that ended stays in
    the record's history.
    """

    def retry_one(operations: Operations, one: str) -> Step:
        record = operations.retry(one, actor=COMMAND_LINE)
        return Step(one, True, record["state"], f"attempt {record['attempt']}")

    _run(context, session, "retry", ids, wanted, retry_one, how=how)


@click.command()
@_IDS
@click.option("--reason", default="", help="Why. It is kept in the records.")
@filter_options
@selection_options
@json_option
@pass_session
@click.pass_context
def hold(
    context: click.Context, session: Session, reason: str, ids: tuple[str, ...], wanted: Filter, how: Selection
) -> None:
    """Hold accepted renders back: those of the IDs, or of the filters. They are not submitted until they are released.

    One whose submission has begun cannot be held (exit code 1): cancel ends it, pause stops the further ones of its
    account.
    """

    def hold_one(operations: Operations, one: str) -> Step:
        return Step(one, True, operations.hold(one, reason=reason, actor=COMMAND_LINE)["state"], "held")

    _run(context, session, "hold", ids, wanted, hold_one, reason=reason, how=how)


@click.command()
@_IDS
@filter_options
@selection_options
@json_option
@pass_session
@click.pass_context
def release(context: click.Context, session: Session, ids: tuple[str, ...], wanted: Filter, how: Selection) -> None:
    """Release held renders: those of the IDs, or of the filters. They are submitted when their turn comes."""

    def release_one(operations: Operations, one: str) -> Step:
        return Step(one, True, operations.release(one, actor=COMMAND_LINE)["state"], "released")

    _run(context, session, "release", ids, wanted, release_one, how=how)


@click.command()
@_IDS
@filter_options
@selection_options
@json_option
@pass_session
@click.pass_context
def replay(context: click.Context, session: Session, ids: tuple[str, ...], wanted: Filter, how: Selection) -> None:
    """Deliver all dead hooks of renders again, under the same webhook ids: of the IDs, or of the filters.

    `dead replay ID HOOK` takes one hook.
    """

    def replay_one(operations: Operations, one: str) -> Step:
        return Step(one, True, operations.replay_all(one, actor=COMMAND_LINE)["state"], "replayed")

    _run(context, session, "replay", ids, wanted, replay_one, how=how)


@click.command()
@_ID
@click.argument("project_id", metavar="PROJECT")
@json_option
@pass_session
@click.pass_context
def adopt(context: click.Context, session: Session, render_id: str, project_id: str) -> None:
    """Say which vendor project an unconfirmed render is; it is polled from then on."""
    _single(context, session, render_id, lambda operations: operations.adopt(render_id, project_id, actor=COMMAND_LINE))


@click.command()
@_ID
@json_option
@pass_session
@click.pass_context
def resubmit(context: click.Context, session: Session, render_id: str) -> None:
    """Say that an unconfirmed render was never started: the paid call is made again."""
    _single(context, session, render_id, lambda operations: operations.resubmit(render_id, actor=COMMAND_LINE))


@click.command()
@_ID
@click.option("--reason", required=True, help="Why. It is kept in the record and sent to the hooks.")
@json_option
@pass_session
@click.pass_context
def fail(context: click.Context, session: Session, render_id: str, reason: str) -> None:
    """Give an unconfirmed render up as failed. Its hooks run, and it can be retried.

    A render in any other state is ended with `renderline cancel`.
    """
    _single(
        context, session, render_id, lambda operations: operations.fail(render_id, message=reason, actor=COMMAND_LINE)
    )


def _run(
    context: click.Context,
    session: Session,
    action: Action,
    ids: tuple[str, ...],
    wanted: Filter,
    operate: Callable[[Operations, str], Step],
    *,
    how: Selection,
    reason: str = "",
    otherwise: dict[str, Any] | None = None,
) -> None:
    """Run an operation on the renders of IDs or of filters; with `--dry-run` show to which of them it applies."""
    chosen = tuple(dict.fromkeys(ids))
    if how.selects(chosen, wanted):
        run_selected(context, session, action, wanted, how=how, reason=reason)
    elif how.dry_run:
        run_selected(context, session, action, replace(wanted, ids=chosen), how=how)
    else:
        report(context, session, [_taken(session, one, operate, otherwise=otherwise) for one in chosen])


def _single(
    context: click.Context, session: Session, render_id: str, operate: Callable[[Operations], dict[str, Any]]
) -> None:
    def step(operations: Operations, one: str) -> Step:
        return Step(one, True, operate(operations)["state"])

    report(context, session, [_taken(session, render_id, step)], single=True)


def _taken(
    session: Session,
    render_id: str,
    operate: Callable[[Operations, str], Step],
    *,
    otherwise: dict[str, Any] | None = None,
) -> Step:
    """Return the step of an operation on a render; `otherwise` are its further fields if the operation is refused."""
    from renderline.ledger import QuotaExceeded
    from renderline.operations import NewerRecord, NoDeadHook, ProjectNotAllowed, RenderNotFound, WrongState

    try:
        return operate(session.operations, render_id)
    except RenderNotFound:
        return Step(render_id, False, "", more=otherwise or {})
    except (NewerRecord, NoDeadHook, ProjectNotAllowed, QuotaExceeded) as error:
        state = session.ledger.record(render_id) or {}
        return Step(render_id, False, state.get("state", ""), str(error), otherwise or {})
    except WrongState as error:
        return Step(
            render_id, False, error.state, f"render {render_id} is {error.state}: {error.rule}", otherwise or {}
        )


COMMANDS = (cancel, retry, hold, release, replay, adopt, resubmit, fail)
