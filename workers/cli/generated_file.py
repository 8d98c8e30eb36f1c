"""Files that the vendor generated in answer to a call: stored at once, since their URLs may vanish."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import click

from workers.cli.errors import CommandError, ExitCode, plain, print_error
from workers.cli.session import Session

if TYPE_CHECKING:
    from renderline.hooks import HookKind

store_option = click.option(
    "--store", is_flag=True, help="Store the file below RENDERLINE_STORAGE_URL at once; the vendor may remove it."
)

_HOOK = {"type": "download", "path": "generated/{kind}-{id}.{ext}"}


def storage(session: Session) -> HookKind:
    """Return what stores files; raises CommandError if it cannot, before anything was asked for."""
    kind = session.services.deliverer.kinds[_HOOK["type"]]
    if problem := kind.problem(_HOOK):
        raise CommandError(f"--store: nowhere to store the file: {problem}", ExitCode.REFUSED)
    return kind


def answer(
    context: click.Context, session: Session, url: str, *, what: str, account: str, store: HookKind | None
) -> None:
    """Write the URL, and where the file was stored; end with code 1 if it should have been and was not."""
    stored = _stored(store, url, what=what, account=account) if store else None
    found = {"url": url, "stored_url": stored}

    def show() -> None:
        click.echo(plain(stored or url))

    session.answer(found, show)
    if store and not stored:
        context.exit(ExitCode.FAILED)


def _stored(store: HookKind, url: str, *, what: str, account: str) -> str | None:
    from renderline.hooks import Delivery, HookFailed
    from renderline.hooks.kind import COMPLETED

    one = uuid.uuid4().hex
    record = {"id": one, "name": what, "kind": what, "account": account, "download_url": url}
    try:
        return str(store.deliver(_HOOK, Delivery(COMPLETED, one, time.time(), record))["stored_url"])
    except HookFailed as error:
        print_error(f"{what} was made, but not stored: {error}; fetch it soon from {url}")
        return None
