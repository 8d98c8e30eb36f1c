"""`renderline submit`: requests from files into the ledger, checked all before any is accepted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import click

from workers.cli import files, following, views
from workers.cli.session import Session, json_option, pass_session
from workers.cli.trouble import Code, Trouble, complain

_DOWNLOAD = {"type": "download"}

_TOGETHER = 1000
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
@click.option("--wait", is_flag=True, help="Follow the renders to their ends; the exit code tells the outcome.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0), help="Wait at most so long, then exit 4.")
@following.until_option
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
    until: following.Until,
) -> None:
    """Submit the render requests in FILE ("-" is standard input).

    A file is JSON or JSON lines. It holds a request, a list of requests, or bare vendor bodies, which are recognised.
    All are checked first: if one of them is wrong, every wrong field is named and nothing is submitted.
    """
    if key is not None and key_from is not None:
        raise click.UsageError("--key and --key-from exclude each other")
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    if until != "ended" and not wait:
        raise click.UsageError("--until needs --wait")
    if not session.settings.accounts:
        raise Trouble(
            "no vendor account is configured: set AISTUDIOS_APP_ID and AISTUDIOS_USER_KEY (or the variables "
            "that the workers have)",
            Code.REFUSED,
        )
    orders = _orders(_contents(sources), key=key, key_from=key_from, download=download)
    _check(session, orders)
    ids = _accept(session, orders)
    if wait:
        follower = following.wait(session, ids, timeout=timeout, until=until)
        records = [record for record in follower.records.values() if record]
        session.answer(records, lambda: views.table(records))
        context.exit(follower.code)
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
        items = files.all_items(contents)
    except files.Unreadable as fault:
        raise Trouble(fault.lines, Code.REFUSED) from None
    if key is not None and len(items) != 1:
        raise Trouble(f"--key names one render, but there are {len(items)} requests: use --key-from", Code.REFUSED)
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
        raise Trouble(wrong, Code.REFUSED)
    return orders


def _with_download(request: dict[str, Any]) -> dict[str, Any]:
    hooks = request.get("hooks") or []
    if not isinstance(hooks, list) or any(isinstance(hook, dict) and hook.get("type") == "download" for hook in hooks):
        return request
    # In front, so that those after it can tell where the file is.
    return {**request, "hooks": [_DOWNLOAD, *hooks]}


def _key(request: dict[str, Any], path: str) -> str:
    value = files.value_at(request, path)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{path}: must be text or a whole number, because --key-from takes the key from it")
    return str(value)


def _check(session: Session, orders: Sequence[_Order]) -> None:
    from renderline.acceptance import check_key
    from renderline.requests import RequestRefused, load_request

    door = session.services.acceptor
    wrong = []
    for order in orders:
        try:
            check_key(order.key)
            load_request(order.request, accounts=door.accounts, hook_kinds=door.hook_kinds, max_bytes=door.max_bytes)
        except RequestRefused as refused:
            wrong += [f"{order.place}: {line}" for line in str(refused).splitlines()]
    if wrong:
        raise Trouble(wrong, Code.REFUSED)


def _accept(session: Session, orders: Sequence[_Order]) -> list[str]:
    from renderline.acceptance import Item, NotTogether

    accepted: list[str] = []
    try:
        for start in range(0, len(orders), _TOGETHER):
            some = orders[start : start + _TOGETHER]
            items = [Item(order.request, order.key, str(uuid.uuid4())) for order in some]
            accepted += [str(one) for one in session.services.acceptor.accept_all(items, together=True)]
    except NotTogether as refused:
        _tell(accepted)
        wrong = [f"{some[at].place}: {line}" for at, why in refused.refusals.items() for line in str(why).splitlines()]
        raise Trouble(wrong, Code.REFUSED) from None
    except Exception:
        _tell(accepted)
        raise
    return list(dict.fromkeys(accepted))


def _tell(accepted: Sequence[str]) -> None:
    # Submitted again without keys, these would be rendered twice.
    if accepted:
        complain(f"accepted before that: {' '.join(accepted)}")


COMMANDS = (submit,)
