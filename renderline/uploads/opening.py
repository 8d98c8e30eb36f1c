"""Opens the files that a request names, so that they can be sent: fetched to this worker's disk and checked first."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from renderline.uploads.errors import SourceUnavailable, StorageFailed, UploadRefused
from renderline.uploads.fetching import Fetcher
from renderline.uploads.file_type import type_of
from renderline.uploads.reference import Reference, ending_of, fault_of, parse
from renderline.uploads.spool import Spool
from renderline.uploads.store import CHUNK, UploadStore

_ATTEMPTS: Final = 3
_WAIT: Final = 1.0
"""Seconds between two attempts to fetch a file."""


@dataclass(frozen=True)
class OpenedFile:
    """A file that was checked and can be read any number of times. It is deleted with the last reference to it."""

    name: str
    content_type: str
    spool: Spool

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        return self.spool.size

    def open(self) -> BinaryIO:
        """Open it for reading, from its beginning."""
        return self.spool.open()


class FileOpener:
    """Opens uploads, from the store (None: there is none), and files at https URLs."""

    def __init__(
        self, store: UploadStore | None, fetcher: Fetcher, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._store, self._fetcher, self._sleep = store, fetcher, sleep

    def open(
        self, reference: str, *, tenant: str, endings: Collection[str], keep: Callable[[], None] = lambda: None
    ) -> OpenedFile:
        """Fetch a tenant's file and check its content; `keep` is called now and then, also when it is read later.

        Raises UploadRefused for a file that is missing, changed, too large or of another type, and SourceUnavailable
        or StorageFailed if a later attempt may succeed.
        """
        found = parse(reference)
        if found is not None:
            return self._stored(found, tenant, endings, keep)
        if fault := fault_of(reference, endings):
            raise UploadRefused(fault.rstrip("."))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._fetcher.get(reference) as file:
                    return _spooled(file.name, file.chunks, endings, keep)
            except SourceUnavailable as error:
                if attempt == _ATTEMPTS:
                    raise UploadRefused(f"{error} ({_ATTEMPTS} attempts)") from None
            keep()
            self._sleep(_WAIT)
        raise AssertionError("unreachable")

    def _stored(
        self, reference: Reference, tenant: str, endings: Collection[str], keep: Callable[[], None]
    ) -> OpenedFile:
        if self._store is None:
            raise UploadRefused("this worker has no storage of uploads: set RENDERLINE_UPLOADS_URL for all workers")
        digest = hashlib.sha256()
        try:
            file = self._store.read(reference, tenant=tenant)
        except FileNotFoundError:
            raise UploadRefused(missing(reference, tenant)) from None
        with file:
            opened = _spooled(reference.name, _read(file, digest.update), endings, keep)
        if digest.hexdigest() != reference.sha256:
            raise UploadRefused(f"{reference.name} has changed in the storage since it was uploaded: upload it again")
        return opened


def missing(reference: Reference, tenant: str) -> str:
    """Return the error of a reference to a file that the tenant does not have."""
    return (
        f"no file {reference.name} ({reference.sha256[:12]}...) of tenant {tenant} is stored: it was never uploaded, "
        "or removed after RENDERLINE_UPLOAD_RETENTION; upload the same file again, and this reference is valid again"
    )


def _read(file: BinaryIO, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    try:
        while chunk := file.read(CHUNK):
            seen(chunk)
            yield chunk
    except Exception as error:
        raise StorageFailed(f"the storage of uploads: {type(error).__name__}") from None


def _spooled(name: str, chunks: Iterable[bytes], endings: Collection[str], keep: Callable[[], None]) -> OpenedFile:
    kind, ending = type_of(name), ending_of(name)
    if ending not in endings:
        raise UploadRefused(f"{name} is of another type; allowed: {', '.join(endings)}")
    check, spool = kind.check(), Spool(keep)
    try:
        for chunk in chunks:
            check.feed(chunk)
            spool.write(chunk)
            keep()
        check.end()
        if not spool.size:
            raise UploadRefused("is empty")
    except UploadRefused as refused:
        raise type(refused)(f"{name}: {refused}") from None
    return OpenedFile(name, kind.content_type, spool)
