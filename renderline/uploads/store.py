"""The storage of uploads: files by the SHA-256 of their content, in a folder of their tenant."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from renderline.storage import Folder
from renderline.uploads.errors import SourceBroken, StorageFailed, UploadRefused, UploadTooLarge
from renderline.uploads.file_type import type_of
from renderline.uploads.reference import Reference, clean_name

VARIABLE: Final = "RENDERLINE_UPLOADS_URL"
CHUNK: Final = 256 * 1024
"""Bytes that are read at a time."""

_TENANTS: Final = "tenants"
_LATELY: Final = 60.0
_MOST_SEEN: Final = 10_000


@dataclass(frozen=True)
class StoredUpload:
    """A file that was stored."""

    reference: Reference
    size: int


class UploadStore:
    """Keeps uploads in the folder at `url`, of at most `max_bytes` each; threads may share it.

    A file of the same content is stored once for each tenant, under the same name; it appears whole or not at all.
    """

    def __init__(self, url: str, *, max_bytes: int) -> None:
        """Read the URL; raises ValueError, naming the variable, for one that cannot be used."""
        try:
            self._root = Folder(url)
        except ValueError as error:
            raise ValueError(f"{VARIABLE}: {error}") from None
        self.max_bytes = max_bytes
        self._seen: dict[tuple[str, str], float] = {}

    def put(self, name: str, chunks: Iterable[bytes], *, tenant: str) -> StoredUpload:
        """Store a file of a tenant as it comes.

        Raises UploadRefused for what may not be stored, SourceBroken if `chunks` does, and StorageFailed.
        """
        name = clean_name(name)
        check, digest = type_of(name).check(), hashlib.sha256()
        with self._failing(), self._home(tenant).adding(root=self._root) as new:
            for chunk in chunks:
                self._check_size(new.written + len(chunk))
                check.feed(chunk)
                digest.update(chunk)
                new.write(chunk)
            check.end()
            if not new.written:
                raise UploadRefused("is empty")
            new.name = digest.hexdigest()
        return StoredUpload(Reference(digest.hexdigest(), name), new.written)

    def examine(self, name: str, chunks: Iterable[bytes], *, tenant: str) -> StoredUpload:
        """Check a file as `put` does, and store nothing; `has_lately` takes it for stored all the same."""
        name, count = clean_name(name), 0
        check, digest = type_of(name).check(), hashlib.sha256()
        for chunk in chunks:
            count += len(chunk)
            self._check_size(count)
            check.feed(chunk)
            digest.update(chunk)
        check.end()
        self._seen[tenant, digest.hexdigest()] = time.monotonic()
        return StoredUpload(Reference(digest.hexdigest(), name), count)

    def has(self, reference: Reference, *, tenant: str) -> bool:
        """Return whether the tenant has this file; raises StorageFailed."""
        with self._failing():
            return self._home(tenant).exists(reference.sha256, root=self._root)

    def has_lately(self, reference: Reference, *, tenant: str) -> bool:
        """Return whether the tenant has this file, or had it a minute ago: a batch may name one a thousand times."""
        key, now = (tenant, reference.sha256), time.monotonic()
        if self._seen.get(key, float("-inf")) > now - _LATELY:
            return True
        if not self.has(reference, tenant=tenant):
            return False
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[key] = now
        return True

    def read(self, reference: Reference, *, tenant: str) -> BinaryIO:
        """Open a tenant's file; raises FileNotFoundError, or StorageFailed."""
        with self._failing():
            return self._home(tenant).reading(reference.sha256, root=self._root)

    def files(self) -> Iterator[tuple[str, str, float]]:
        """Yield every file: its tenant, its SHA-256, and when it was stored last."""
        with self._failing():
            for tenant in self._root.below(_TENANTS).folders():
                for sha256, stored in self._home(tenant).files(root=self._root):
                    yield tenant, sha256, stored

    def stored_at(self, tenant: str, sha256: str) -> float | None:
        """Return when a tenant's file was stored last (epoch seconds); None: it is not there."""
        with self._failing():
            return next((at for name, at in self._home(tenant).files(root=self._root) if name == sha256), None)

    def remove(self, tenant: str, sha256: str) -> None:
        """Remove a tenant's file, if it is there."""
        with self._failing():
            self._home(tenant).remove(sha256, root=self._root)

    def _check_size(self, count: int) -> None:
        if count > self.max_bytes:
            raise UploadTooLarge(f"is larger than {self.max_bytes} bytes")

    def _home(self, tenant: str) -> Folder:
        return self._root.below(f"{_TENANTS}/{tenant}")

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn whatever the storage's library raises into StorageFailed, without its credentials."""
        try:
            yield
        except (UploadRefused, SourceBroken, FileNotFoundError, StorageFailed):
            raise
        except Exception as error:
            raise StorageFailed(f"{self._root.url}: {self._root.describe(error)}") from None
