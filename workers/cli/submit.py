"""`renderline submit`: reads requests from files, checks all of them, then accepts them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import click

from renderline.tenants import COMMAND_LINE
from workers.cli import request_files, views, waiting
from workers.cli.errors import CommandError, ExitCode, print_error
from workers.cli.session import Session, json_option, pass_session

_DOWNLOAD = {"type": "download"}

_PER_TRANSACTION = 1000
"""How many requests are accepted in one transaction; longer files take several."""


@dataclass(frozen=True)
class _Order:
    place: str
    request: dict[str, Any]
    key: str | None


@click.command()
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=click.File("rb", lazy=False))
@click.option("--key", metavar="KEY", help="The idempotency key of the one request: the same key is the same render.")
@click.option("--key-from", metavar="PATH", help="Take each request's key from it, for example from metadata.order.")
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
    key: str | None,
    key_from: str | None,
    download: bool,
    wait: bool,
    timeout: float | None,
    until: waiting.Until,
) -> None:
    """Submit the render requests in FILE ("-" is standard input).

    A file is JSON or JSON lines. It holds a request, a list of requests, or bare vendor bodies, whose kind is detected.
    All requests are checked first. If one is wrong, every wrong field is named and nothing is submitted.
    """
    if key is not None and key_from is not None:
        raise click.UsageError("--key and --key-from cannot be used together")
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
    orders = _orders(_contents(sources), key=key, key_from=key_from, download=download)
    _check(session, orders)
    ids = _accept(session, orders)
    if wait:
        waited = waiting.wait(session, ids, timeout=timeout, until=until)
        records = [record for record in waited.records.values() if record]
        session.answer(records, lambda: views.table(records))
        context.exit(waited.code)
    records = [record for record in session.ledger.records(ids) if record]
    session.answer(records, lambda: views.table(records))


def _contents(sources: Sequence[IO[bytes]]) -> Iterator[tuple[str, bytes]]:
    for source in sources:
        name = getattr(source, "name", None)
        yield name.strip("<>") if isinstance(name, str) else "stdin", source.read()


def _orders(
    contents: Iterator[tuple[str, bytes]], *, key: str | None, key_from: str | None, download: bool
) -> list[_Order]:
    from renderline.requests import RequestRefused, as_request

    try:
        items = request_files.all_items(contents)
    except request_files.Unreadable as fault:
        raise CommandError(fault.lines, ExitCode.REFUSED) from None
    if key is not None and len(items) != 1:
        raise CommandError(
            f"--key names one render, but there are {len(items)} requests: use --key-from", ExitCode.REFUSED
        )
    orders, wrong = [], []
    for item in items:
        try:
            request = as_request(item.data)
            if download:
                request = _with_download(request)
            orders.append(_Order(item.place, request, _key(request, key_from) if key_from else key))
        except (RequestRefused, ValueError) as refused:
            wrong += [f"{item.place}: {line}" for line in str(refused).splitlines()]
    if wrong:
        raise CommandError(wrong, ExitCode.REFUSED)
    return orders


def _with_download(request: dict[str, Any]) -> dict[str, Any]:
    hooks = request.get("hooks") or []
    if not isinstance(hooks, list) or any(isinstance(hook, dict) and hook.get("type") == "download" for hook in hooks):
        return request
    # In front, because hooks after a download can say where the file is stored.
    return {**request, "hooks": [_DOWNLOAD, *hooks]}


def _key(request: dict[str, Any], path: str) -> str:
    value = request_files.value_at(request, path)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{path}: must be text or a whole number, because --key-from takes the key from it")
    return str(value)


def _check(session: Session, orders: Sequence[_Order]) -> None:
    from renderline.acceptance import check_key
    from renderline.requests import RequestRefused

    door = session.services.acceptor
    wrong = []
    for order in orders:
        try:
            check_key(order.key)
            door.load(order.request, actor=COMMAND_LINE)
        except RequestRefused as refused:
            wrong += [f"{order.place}: {line}" for line in str(refused).splitlines()]
    if wrong:
        raise CommandError(wrong, ExitCode.REFUSED)


def _accept(session: Session, orders: Sequence[_Order]) -> list[str]:
    from renderline.acceptance import Item, NotTogether

    accepted: list[str] = []
    session.ledger  # noqa: B018 (checks the schema)
    try:
        for start in range(0, len(orders), _PER_TRANSACTION):
            some = orders[start : start + _PER_TRANSACTION]
            items = [Item(order.request, order.key, str(uuid.uuid4())) for order in some]
            accepted += [
                str(one) for one in session.services.acceptor.accept_all(items, actor=COMMAND_LINE, together=True)
            ]
    except NotTogether as refused:
        _print_accepted(accepted)
        wrong = [f"{some[at].place}: {line}" for at, why in refused.refusals.items() for line in str(why).splitlines()]
        raise CommandError(wrong, ExitCode.REFUSED) from None
    except Exception:
        _print_accepted(accepted)
        raise
    return list(dict.fromkeys(accepted))


def _print_accepted(accepted: Sequence[str]) -> None:
    # Without keys, submitting the file again would render these twice.
    if accepted:
        print_error(f"accepted before the error: {' '.join(accepted)}")


COMMANDS = (submit,)
