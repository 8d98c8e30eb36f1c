"""The storage of uploads: files by the SHA-256 of their content, in a folder of their tenant."""

from __future__ import annotations

import hashlib
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

    def put(self, name: str, chunks: Iterable[bytes], *, tenant: str) -> StoredUpload:
        """Store a file of a tenant as it comes.

        Raises UploadRefused for what may not be stored, SourceBroken if `chunks` does, and StorageFailed.
        """
        name = clean_name(name)
        check, digest = type_of(name).check(), hashlib.sha256()
        with self._failing(), self._home(tenant).adding(root=self._root) as new:
            for chunk in chunks:
                if new.written + len(chunk) > self.max_bytes:
                    raise UploadTooLarge(f"is larger than {self.max_bytes} bytes")
                check.feed(chunk)
                digest.update(chunk)
                new.write(chunk)
            check.end()
            if not new.written:
                raise UploadRefused("is empty")
            new.name = digest.hexdigest()
        return StoredUpload(Reference(digest.hexdigest(), name), new.written)

    def has(self, reference: Reference, *, tenant: str) -> bool:
        """Return whether the tenant has this file; raises StorageFailed."""
        with self._failing():
            return self._home(tenant).exists(reference.sha256, root=self._root)

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

    def remove(self, tenant: str, sha256: str) -> None:
        """Remove a tenant's file, if it is there."""
        with self._failing():
            self._home(tenant).remove(sha256, root=self._root)

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
