"""`renderline submit`: reads requests from files, or fills a template from rows, checks all, then accepts them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any

import click
from rich.text import Text

from renderline.renders import State
from renderline.tenants import COMMAND_LINE
from workers.cli import orders as ordering
from workers.cli import resuming, views, waiting
from workers.cli.endings import records_of, show_ending
from workers.cli.errors import CommandError, ExitCode, plain, print_error
from workers.cli.orders import Order
from workers.cli.project_fit import ProjectFit
from workers.cli.result_file import ResultFile
from workers.cli.session import Session, json_option, pass_session, write_json
from workers.cli.uploads import LocalFiles

_PER_TRANSACTION = 1000
"""How many requests are accepted in one transaction; longer files take several."""


@click.command()
@click.argument("sources", metavar="FILE...", nargs=-1, type=click.File("rb", lazy=False))
@click.option(
    "--template", type=click.File("rb", lazy=False), help="A request whose texts have placeholders: {{column}}."
)
@click.option(
    "--rows", "table", type=click.File("rb", lazy=False), help="CSV or JSON lines: each row fills the template."
)
@click.option("--key", metavar="KEY", help="The idempotency key of the one request: the same key is the same render.")
@click.option(
    "--key-from",
    "--key-column",
    metavar="PATH",
    help="Take each key from the request, such as metadata.order, or from a column.",
)
@click.option(
    "--results",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="With --rows: wait, and write how each row ended to FILE. Run again, it goes on where it was.",
)
@click.option("--retry-failed", is_flag=True, help="With --results: start the rows anew that failed before.")
@click.option("--dry-run", is_flag=True, help="Check everything, show what would be sent, and send nothing.")
@click.option("--download", is_flag=True, help="Add a download hook to the requests that have none.")
@click.option("--wait", is_flag=True, help="Wait until the renders end; the exit code tells the outcome.")
@waiting.timeout_option
@waiting.until_option
@json_option
@pass_session
@click.pass_context
def submit(
    context: click.Context,
    session: Session,
    sources: Sequence[IO[bytes]],
    template: IO[bytes] | None,
    table: IO[bytes] | None,
    key: str | None,
    key_from: str | None,
    results: str | None,
    retry_failed: bool,
    dry_run: bool,
    download: bool,
    wait: bool,
    timeout: float | None,
    until: waiting.Until,
) -> None:
    """Submit the render requests in FILE ("-" is standard input), or one for each row that fills a template.

    A file is JSON or JSON lines. It holds a request, a list of requests, or bare vendor bodies, whose kind is detected.
    All requests are checked first. If one is wrong, every wrong field is named and nothing is submitted. A local file
    that a request names, by its path from the folder of FILE or of the rows, is uploaded.
    """
    if (template is None) != (table is None):
        raise click.UsageError("--template and --rows belong together")
    if bool(sources) == (template is not None):
        raise click.UsageError("give FILE..., or --template and --rows")
    if template is not None and key is not None:
        raise click.UsageError("--key names one render: use --key-from with --rows")
    if dry_run and wait:
        raise click.UsageError("--dry-run and --wait cannot be used together")
    if key is not None and key_from is not None:
        raise click.UsageError("--key and --key-from cannot be used together")
    if results is not None and template is None:
        raise click.UsageError("--results needs --template and --rows")
    if results is not None and dry_run:
        raise click.UsageError("--dry-run and --results cannot be used together")
    if retry_failed and results is None:
        raise click.UsageError("--retry-failed needs --results")
    wait = wait or results is not None
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    if until != "ended" and not wait:
        raise click.UsageError("--until needs --wait")
    if not session.settings.accounts:
        raise CommandError(
            "no vendor account is configured: set AISTUDIOS_APP_ID and AISTUDIOS_USER_KEY (or the variables "
            "that the workers have)",
            ExitCode.REFUSED,
        )
    if template is not None and table is not None:
        orders = ordering.from_rows(_named(template), _named(table), key_from=key_from, download=download)
        if key_from is None and results is None and not dry_run:
            print_error(
                "the rows have no keys: sent again, they render again; "
                "--key-from COLUMN or --results FILE prevents that"
            )
    else:
        orders = ordering.from_files(map(_named, sources), key=key, key_from=key_from, download=download)
    orders = LocalFiles(session, dry_run=dry_run).of(orders)
    checked = _check(session, orders)
    if dry_run:
        session.answer(checked, lambda: _summary(checked))
        return
    if results is not None:
        context.exit(_resumed(session, results, orders, retry_failed=retry_failed, timeout=timeout, until=until))
    ids = _accept(session, orders)
    if wait:
        again = "the same command" if all(order.key is not None for order in orders) else ""
        waited = waiting.wait(session, ids, timeout=timeout, until=until, again=again)
        if session.as_json:
            write_json(records_of(session, ids))
        else:
            states = {one: record["state"] if record else None for one, record in waited.records.items()}
            show_ending(session, states)
        context.exit(waited.code)
    records = records_of(session, ids)
    session.answer(records, lambda: views.table(records))


def _named(source: IO[bytes]) -> tuple[str, bytes]:
    name = getattr(source, "name", None)
    return name.strip("<>") if isinstance(name, str) else "stdin", source.read()


def _check(session: Session, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Return what each request is; raises CommandError with every wrong field of all of them."""
    from renderline.acceptance import check_key
    from renderline.requests import RequestRefused

    door, fit = session.services.acceptor, ProjectFit(session)
    found, wrong = [], []
    keys: dict[tuple[str | None, str], tuple[str, str]] = {}
    for order in orders:
        try:
            check_key(order.key)
            request = door.load(order.request, actor=COMMAND_LINE)
            if order.key is not None:
                meaning = request.fingerprint()
                first, same = keys.setdefault((request.tenant, order.key), (order.place, meaning))
                if meaning != same:
                    wrong.append(f"{order.place}: key {order.key!r} is that of {first}, which is another request")
                    continue
            if problems := fit.problems(request):
                raise RequestRefused(problems)
        except RequestRefused as refused:
            wrong += order.wrong(refused)
            continue
        shown = {"place": order.place, "kind": request.kind, "name": request.name, "key": order.key}
        found.append({**shown, "warnings": list(request.warnings)})
    if wrong:
        raise CommandError(ordering.shortened(wrong), ExitCode.REFUSED)
    return found


def _summary(checked: Sequence[dict[str, Any]]) -> Text:
    warnings = [f"{one['place']}: {warning}" for one in checked for warning in one["warnings"]]
    lines = [*ordering.shortened(warnings), f"{_counted(checked)} right; nothing was sent"]
    return Text("\n".join(map(plain, lines)))


def _counted(checked: Sequence[dict[str, Any]]) -> str:
    return "1 request is" if len(checked) == 1 else f"{len(checked)} requests are"


def _resumed(
    session: Session,
    path: str,
    orders: Sequence[Order],
    *,
    retry_failed: bool,
    timeout: float | None,
    until: waiting.Until,
) -> ExitCode:
    """Send the rows that the file of results says are to be sent, and wait for them; returns the exit code."""
    with ResultFile(path) as file:
        plan = resuming.planned(session, file, orders)
        resuming.warn(file, plan, retried=retry_failed)
        try:
            if retry_failed:
                resuming.retry(session, plan.failed)
            _accept(session, plan.send, again="the same command goes on with the others")
            waited = waiting.wait(
                session, plan.waiting, timeout=timeout, until=until, again="the same command", seen=file.take
            )
        finally:
            file.save()
        if session.as_json:
            write_json([asdict(line) for line in plan.lines])
        else:
            show_ending(session, {line.id: line.state for line in plan.lines})
        good = all(line.state == State.DELIVERED or line.id in waited.stored for line in plan.lines)
        if waited.open:
            return waited.code
        return ExitCode.DONE if good else ExitCode.FAILED


def _accept(session: Session, orders: Sequence[Order], *, again: str = "") -> list[str]:
    """Accept the requests and return their renders; `again` says how to go on after an error (empty: name them)."""
    from renderline.acceptance import Item, NotTogether

    accepted: list[str] = []
    session.change()
    session.ledger  # noqa: B018 (checks the schema)
    try:
        for start in range(0, len(orders), _PER_TRANSACTION):
            some = orders[start : start + _PER_TRANSACTION]
            items = [Item(order.request, order.key, str(uuid.uuid4())) for order in some]
            accepted += [
                str(one)
                for one in session.services.acceptor.accept_all(
                    items, actor=COMMAND_LINE, together=True, request_id=session.request_id
                )
            ]
    except NotTogether as refused:
        _print_accepted(accepted, again)
        wrong = [f"{some[at].place}: {line}" for at, why in refused.refusals.items() for line in str(why).splitlines()]
        raise CommandError(wrong, ExitCode.REFUSED) from None
    except (Exception, KeyboardInterrupt):
        _print_accepted(accepted, again)
        raise
    return list(dict.fromkeys(accepted))


def _print_accepted(accepted: Sequence[str], again: str) -> None:
    if accepted and again:
        print_error(f"{len(accepted)} were accepted before; {again}")
    elif accepted:
        # Without keys, submitting the file again would render these twice.
        print_error(f"accepted before the error: {' '.join(accepted)}")


COMMANDS = (submit,)
