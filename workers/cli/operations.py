"""Commands that change the course of a render: cancel, retry, adopt, resubmit, fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from renderline.tenants import COMMAND_LINE
from workers.cli.results import Step, report
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.operations import Operations

_IDS = click.argument("ids", metavar="ID...", nargs=-1, required=True)
_ID = click.argument("render_id", metavar="ID")


@click.command()
@_IDS
@click.option("--delete-project", is_flag=True, help="Delete the vendor's project as well.")
@json_option
@pass_session
@click.pass_context
def cancel(context: click.Context, session: Session, ids: Sequence[str], delete_project: bool) -> None:
    """Cancel renders.

    Before submission nothing is sent to the vendor. Afterwards a render is no longer polled, and of its hooks only
    those run that asked for render.canceled. The vendor has no cancel: it may finish and charge what it has begun.
    A render that has ended stays as it is (exit code 1).
    """

    def cancel_one(operations: Operations, one: str) -> Step:
        done = operations.cancel(one, actor=COMMAND_LINE, delete_project=delete_project)
        message = f"project {done.project}{f': {done.why}' if done.why else ''}" if delete_project else ""
        return Step(one, True, done.record["state"], message, {"project": done.project, "why": done.why or None})

    untouched = {"project": "untouched", "why": None}
    steps = [_taken(session, one, cancel_one, otherwise=untouched) for one in dict.fromkeys(ids)]
    report(context, session, steps)


@click.command()
@_IDS
@json_option
@pass_session
@click.pass_context
def retry(context: click.Context, session: Session, ids: Sequence[str]) -> None:
    """Start failed or expired renders anew.

    A retry is a new attempt in the same record, with a project and a price of its own. The attempt that ended stays in
    the record's history.
    """

    def retry_one(operations: Operations, one: str) -> Step:
        record = operations.retry(one, actor=COMMAND_LINE)
        return Step(one, True, record["state"], f"attempt {record['attempt']}")

    report(context, session, [_taken(session, one, retry_one) for one in dict.fromkeys(ids)])


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
    from renderline.operations import ProjectNotAllowed, RenderNotFound, WrongState

    try:
        return operate(session.operations, render_id)
    except RenderNotFound:
        return Step(render_id, False, "", more=otherwise or {})
    except (ProjectNotAllowed, QuotaExceeded) as error:
        state = session.ledger.record(render_id) or {}
        return Step(render_id, False, state.get("state", ""), str(error), otherwise or {})
    except WrongState as error:
        return Step(
            render_id, False, error.state, f"render {render_id} is {error.state}: {error.rule}", otherwise or {}
        )


COMMANDS = (cancel, retry, adopt, resubmit, fail)
