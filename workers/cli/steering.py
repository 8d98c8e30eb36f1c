"""Commands that change the course of a render: cancel, retry, and an operator's word on uncertain ones."""

from __future__ import annotations

from collections.abc import Sequence

import click

from workers.cli.results import Step, report
from workers.cli.session import Session, json_option, pass_session

_IDS = click.argument("ids", metavar="ID...", nargs=-1, required=True)
_ID = click.argument("render_id", metavar="ID")


def state_of(session: Session, render_id: str) -> str:
    """Return the state of a render, empty if there is none."""
    record = session.ledger.record(render_id)
    return str(record["state"]) if record else ""


@click.command()
@_IDS
@click.option("--delete-project", is_flag=True, help="Delete the vendor's project as well.")
@json_option
@pass_session
@click.pass_context
def cancel(context: click.Context, session: Session, ids: Sequence[str], delete_project: bool) -> None:
    """Give renders up.

    Before submission nothing is sent. Afterwards a render is no longer followed and its hooks do not run; the vendor
    knows no cancel and may finish and charge what it has begun. What has ended stays as it is (exit code 1).
    """
    from renderline.cancellation import cancel as give_up

    services = session.services
    steps = []
    for one in dict.fromkeys(ids):
        outcome = give_up(
            one,
            ledger=services.ledger,
            dispatcher=services.dispatcher,
            accounts=services.submitter.accounts,
            delete_project=delete_project,
        )
        message = f"render {one} has ended as {outcome.state}" if outcome.state and not outcome.canceled else ""
        if outcome.project != "untouched":
            message = f"project {outcome.project}{f': {outcome.why}' if outcome.why else ''}"
        more = {"project": outcome.project, "why": outcome.why or None}
        steps.append(Step(one, outcome.canceled, outcome.state, message, more))
    report(context, session, steps)


@click.command()
@_IDS
@json_option
@pass_session
@click.pass_context
def retry(context: click.Context, session: Session, ids: Sequence[str]) -> None:
    """Start failed or expired renders anew.

    A retry is a new attempt in the same record, with a project and a price of its own; the ended one stays in the
    record's history.
    """
    steps = []
    for one in dict.fromkeys(ids):
        turn = session.operations.retry(one)
        record = session.ledger.record(one)
        if turn and record:
            if turn == "due":
                session.services.dispatcher.submit(one, record["priority"])
            steps.append(Step(one, True, record["state"], f"attempt {record['attempt']}"))
        else:
            state = record["state"] if record else ""
            why = f"render {one} is {state}: only a failed or expired one can be retried" if state else ""
            steps.append(Step(one, False, state, why))
    report(context, session, steps)


@click.command()
@_ID
@click.argument("project_id", metavar="PROJECT")
@json_option
@pass_session
@click.pass_context
def adopt(context: click.Context, session: Session, render_id: str, project_id: str) -> None:
    """Say which vendor project an unconfirmed render is; it is followed from then on."""
    done, kick = session.operations.adopt(render_id, project_id)
    if kick:
        session.services.dispatcher.poll(kick)
    _told(context, session, render_id, done, "only an unconfirmed one can be given a project")


@click.command()
@_ID
@json_option
@pass_session
@click.pass_context
def resubmit(context: click.Context, session: Session, render_id: str) -> None:
    """Say that an unconfirmed render was never started: the call that costs is made again."""
    turn = session.operations.resubmit(render_id)
    if turn == "due":
        session.services.dispatcher.submit(render_id, session.ledger.priority_of(render_id))
    _told(context, session, render_id, bool(turn), "only an unconfirmed one can be submitted again")


@click.command()
@_ID
@click.option("--reason", required=True, help="Why; it is kept in the record and told to its hooks.")
@json_option
@pass_session
@click.pass_context
def fail(context: click.Context, session: Session, render_id: str, reason: str) -> None:
    """End a render as failed; its hooks run, and it can be retried."""
    done = session.ledger.fail(render_id, code="operator", message=reason, origin="renderline")
    if done:
        session.services.dispatcher.hooks(render_id)
        session.services.dispatcher.freed()
    _told(context, session, render_id, done, "it can no longer fail")


def _told(context: click.Context, session: Session, render_id: str, done: bool, rule: str) -> None:
    state = state_of(session, render_id)
    why = "" if done or not state else f"render {render_id} is {state}: {rule}"
    report(context, session, [Step(render_id, done, state, why)], single=True)


COMMANDS = (cancel, retry, adopt, resubmit, fail)
