"""`renderline upload`, and the local files that the requests of `renderline submit` name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from renderline.contract import tenant_error
from workers.cli.errors import CommandError, ExitCode
from workers.cli.orders import Order, shortened
from workers.cli.session import Session, json_option, pass_session

if TYPE_CHECKING:
    from renderline.uploads import UploadStore


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--tenant", metavar="TENANT", default="default", show_default=True, help="The tenant that may use it.")
@json_option
@pass_session
def upload(session: Session, paths: Sequence[str], tenant: str) -> None:
    """Store each FILE for requests to name.

    Writes what a request has as its `file`. The same content is stored once. Works on the storage of
    RENDERLINE_UPLOADS_URL, which the workers must reach too.
    """
    from renderline.uploads import UploadRefused

    if fault := tenant_error(tenant):
        raise CommandError(f"--tenant: {fault}", ExitCode.REFUSED)
    # The tenant's quota is counted in Redis.
    session.change()
    store = _store(session)
    made: list[dict[str, Any]] = []
    for path in paths:
        try:
            stored = store.put(Path(path).name, _chunks(Path(path)), tenant=tenant)
        except UploadRefused as refused:
            raise CommandError(f"{path} {refused}", ExitCode.REFUSED) from None
        made.append({"file": str(stored.reference), "name": stored.reference.name, "bytes": stored.size})
    session.answer(made, lambda: Text("\n".join(one["file"] for one in made)))


class LocalFiles:
    """Uploads the local files that requests name, each once; with `dry_run` they are only checked."""

    def __init__(self, session: Session, *, dry_run: bool) -> None:
        self._session, self._dry_run = session, dry_run
        self._done: dict[tuple[Path, str], str] = {}

    def of(self, orders: Sequence[Order]) -> list[Order]:
        """Return the orders with a reference in place of each local path.

        Raises CommandError with every file that cannot be uploaded.
        """
        from renderline.requests import RequestRefused

        made, wrong = [], []
        for order in orders:
            try:
                made.append(replace(order, request=self._uploaded(order.request, Path(order.folder))))
            except RequestRefused as refused:
                wrong += order.wrong(refused)
        if wrong:
            raise CommandError(shortened(wrong), ExitCode.REFUSED)
        return made

    def _uploaded(self, request: dict[str, Any], folder: Path) -> dict[str, Any]:
        from renderline.kinds import KINDS, named_files
        from renderline.requests import RequestRefused
        from renderline.uploads import UploadRefused
        from renderline.uploads.reference import PREFIX

        kind = KINDS.get(request["kind"]) if isinstance(request.get("kind"), str) else None
        tenant = request.get("tenant") or "default"
        if kind is None or tenant_error(tenant):
            return request  # refused with its other wrong fields
        for file in list(named_files(kind, request)):
            if file.reference.startswith(PREFIX) or "://" in file.reference[:10]:
                continue
            try:
                reference = self._upload(folder / Path(file.reference).expanduser(), tenant)
            except UploadRefused as refused:
                raise RequestRefused({file.path: [f"{file.reference} {refused}"]}) from None
            request = _replaced(request, file.path.split("."), reference)
        return request

    def _upload(self, path: Path, tenant: str) -> str:
        key = (path.resolve(), tenant)
        if key not in self._done:
            store = _store(self._session)
            take = store.examine if self._dry_run else store.put
            self._done[key] = str(take(path.name, _chunks(path), tenant=tenant).reference)
        return self._done[key]


def _replaced(value: Any, path: Sequence[str], new: str) -> Any:
    """Return a copy of a request with another value at a path."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_replaced(each, rest, new) if str(at) == first else each for at, each in enumerate(value)]
    return {name: _replaced(each, rest, new) if name == first else each for name, each in value.items()}


def _store(session: Session) -> UploadStore:
    store = session.services.acceptor.uploads
    if store is None:
        raise CommandError(
            "there is no storage of uploads: set RENDERLINE_UPLOADS_URL or RENDERLINE_STORAGE_URL, as the workers have",
            ExitCode.REFUSED,
        )
    return store


def _chunks(path: Path) -> Iterator[bytes]:
    from renderline.uploads import CHUNK, UploadRefused

    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise UploadRefused(f"cannot be read: {error.strerror}") from None


COMMANDS = (upload,)
