"""Storage of downloads: a folder of any fsspec storage, in which files appear whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import fsspec

from renderline.hooks.partial_file import lock, remove_abandoned

# Size of the parts of an upload to a remote storage: 4 GiB are far fewer than S3's limit of 10,000 parts.
_PART_BYTES = 8 * 1024 * 1024

# Stores whose URL names a bucket, not a host. The worker's own rights decide what it may write there.
_BUCKET_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "memory"})

_GLOB = re.compile(r"[*?\[\]]")


class Folder:
    """A folder for files, named by a URL such as `file:///videos` or `s3://bucket/prefix`."""

    def __init__(self, url: str) -> None:
        """Read the URL; raises ValueError saying what is wrong with it. Opens nothing yet.

        A `file:` URL is percent-decoded, as RFC 8089 has it; the others are not, since object keys are literal.
        """
        scheme, separator, rest = url.partition("://")
        self.scheme = "file" if scheme == "local" else scheme
        self._password = ""
        if not separator or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) or "::" in url:
            raise ValueError("must be a URL such as file:///videos or s3://bucket/prefix")
        if self.scheme == "file":
            host, slash, path = unquote(rest).partition("/")
            if host not in ("", "localhost") or not slash:
                raise ValueError("must be an absolute file URL such as file:///videos")
            self._root = "/" + path.strip("/")
            self.url = "file://" + quote(self._root).rstrip("/")
        else:
            path = rest
            if _GLOB.search(rest):
                raise ValueError("must not hold * ? [ or ]")
            self._root = url.rstrip("/")
            # The URL that is logged and recorded has no credentials, unlike sftp://user:password@host.
            authority, slash, beyond = rest.partition("/")
            credentials, _, host = authority.rpartition("@")
            self._password = credentials.partition(":")[2]
            self.url = f"{scheme}://{host}{slash}{beyond}".rstrip("/")
        if any(part in (".", "..") for part in path.split("/")) or re.search(r"[\x00-\x1f\x7f]", path):
            raise ValueError("must not hold . or .. as parts, nor control characters")
        try:
            fsspec.get_filesystem_class(self.scheme)
        except (ImportError, ValueError) as error:
            raise ValueError(f"the storage {scheme}:// cannot be used here: {error}") from None

    def holds(self, other: Folder) -> bool:
        """Return whether a request may use the other folder instead of this one.

        In an object store it may use any bucket: the worker's own rights are the limit. Anywhere else it may only use
        folders below this one: a request must not choose what a worker overwrites or which host it calls.
        """
        if other.scheme != self.scheme:
            return False
        return self.is_bucket_store or (other.url + "/").startswith(self.url + "/")

    @property
    def is_bucket_store(self) -> bool:
        """Whether this is in an object store, where a URL chooses a bucket and never a host."""
        return self.scheme in _BUCKET_STORES

    def url_of(self, name: str) -> str:
        """Return the URL under which a file of this folder is recorded."""
        return f"{self.url}/{quote(name) if self.scheme == 'file' else name}"

    def describe(self, error: Exception) -> str:
        """Return the error of the storage's own library in short, without the storage's password."""
        text = f"{type(error).__name__}: {error}"
        return (text.replace(self._password, "***") if self._password else text)[:300]

    @contextlib.contextmanager
    def replacing(self, name: str) -> Iterator[PartialFile]:
        """Yield a partial file to write to. When the block ends it gets its name, replacing any earlier file.

        If the block raises, the partial file is removed and an earlier file stays as it was. A killed worker leaves its
        partial file, `.{name}.{16 hex digits}.part`. Nobody reads it and anybody may delete it; on a disk the next
        download into the folder does. Each partial file has a name of its own, so two writers of one file never mix:
        the last one to end wins with a whole file.

        On a disk the last step is a rename within one folder, which is atomic. In an object store an upload, even in
        parts, appears as one object. But fsspec commits it whenever it is closed, also after a failure. So it is
        uploaded under the partial file's key, and only a whole one is copied to its name within the store.
        """
        filesystem, root = self._open()
        target = f"{root.rstrip('/')}/{name}"
        folder, _, leaf = target.rpartition("/")
        path = f"{folder}/.{leaf}.{secrets.token_hex(8)}.part"
        if self.scheme == "file":
            remove_abandoned(folder)
        partial = PartialFile(filesystem, path, folder)
        try:
            yield partial
            partial.sync()
            partial.close()
            if filesystem.size(path) != partial.written:
                raise OSError(f"{partial.written} bytes were written, but the storage holds {filesystem.size(path)}")
            if filesystem.isdir(target):
                raise IsADirectoryError(f"{name} is a folder")  # mv would move the file into it
            filesystem.mv(path, target)
        except BaseException:
            # Closed first: the storage would keep the parts of an upload that is never closed, and charge for them.
            for clean in (partial.close, functools.partial(filesystem.rm_file, path)):
                with contextlib.suppress(Exception):
                    clean()
            raise

    def _open(self) -> tuple[Any, str]:
        # Opened when it is used, not at start: some storages keep threads, which a fork loses.
        if self.scheme == "file":
            return fsspec.filesystem("file"), self._root
        filesystem, root = fsspec.core.url_to_fs(self._root)
        return filesystem, root


class PartialFile:
    """A file under a temporary name, which counts the bytes written to it."""

    def __init__(self, filesystem: Any, path: str, folder: str) -> None:
        self.written = 0
        self._filesystem = filesystem
        try:
            self._file = self._create(path)
        except FileNotFoundError:
            # Not earlier: object stores have no folders, and some would create a bucket.
            filesystem.makedirs(folder, exist_ok=True)
            self._file = self._create(path)

    def _create(self, path: str) -> Any:
        file = self._filesystem.open(path, "wb", block_size=_PART_BYTES)
        if getattr(self._filesystem, "local_file", False):
            lock(file.fileno())
        return file

    def write(self, chunk: bytes) -> None:
        """Append the chunk."""
        self._file.write(chunk)
        self.written += len(chunk)

    def sync(self) -> None:
        """On a disk, wait until the bytes are on it: after a power cut, a record must not name a file that is lost."""
        if getattr(self._filesystem, "local_file", False):
            self._file.flush()
            os.fsync(self._file.fileno())
            os.utime(self._file.fileno())  # once closed it is unlocked, but too new to be removed

    def close(self) -> None:
        """Close the file, which sends the last part to a remote storage."""
        self._file.close()
