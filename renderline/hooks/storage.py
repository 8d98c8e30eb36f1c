"""Where downloads are kept: folders of any fsspec storage, and files that appear there whole or not at all."""

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

from renderline.hooks.partial_file import hold, remove_from

# How much a remote storage gathers before it sends a part: at 4 GiB well below S3's limit of 10,000 parts.
_PART_BYTES = 8 * 1024 * 1024

# Where a URL names no host but a bucket, in which the worker's own rights decide what it may write.
_BUCKET_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "memory"})

_GLOB = re.compile(r"[*?\[\]]")


class Folder:
    """A folder that files are put into, named by a URL such as `file:///videos` or `s3://bucket/prefix`."""

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
            # What is told and recorded carries no credentials, such as those of sftp://user:password@host.
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
        """Say whether the other folder may stand in for this one.

        In an object store every bucket may, because there the worker's own rights draw the line. Anywhere else only
        folders below this one may: a request must not choose what a worker overwrites or which host it calls.
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
        """Say in short what the storage's own library complains of, without the storage's password."""
        text = f"{type(error).__name__}: {error}"
        return (text.replace(self._password, "***") if self._password else text)[:300]

    @contextlib.contextmanager
    def replacing(self, name: str) -> Iterator[Draft]:
        """Give a draft to write to; when the block ends it becomes the file of that name, replacing any before.

        If the block raises, the draft is removed and an earlier file stays as it was; a worker that is killed leaves
        its draft, `.{name}.{16 hex digits}.part`, which nobody reads and anybody may delete; on a disk the next
        download into the folder does. Every draft has its own name, so two writers of one file never mix: the last to
        end wins with a whole file.

        On a disk the last step is a rename within one folder, which is atomic. In an object store an upload commits
        as one object, also one in parts, but fsspec commits on *any* closing, after a failure too; therefore the
        upload goes to the draft's key and only a whole one is copied, within the store, to its name, where again it
        appears as one object.
        """
        filesystem, root = self._open()
        target = f"{root.rstrip('/')}/{name}"
        folder, _, leaf = target.rpartition("/")
        path = f"{folder}/.{leaf}.{secrets.token_hex(8)}.part"
        if self.scheme == "file":
            remove_from(folder)
        draft = Draft(filesystem, path, folder)
        try:
            yield draft
            draft.settle()
            draft.close()
            if filesystem.size(path) != draft.written:
                raise OSError(f"{draft.written} bytes were written, but the storage holds {filesystem.size(path)}")
            if filesystem.isdir(target):
                raise IsADirectoryError(f"{name} is a folder")  # mv would put the draft inside it
            filesystem.mv(path, target)
        except BaseException:
            # Closed first: an upload in parts that is merely dropped would be stored, and paid for, for ever.
            for clean in (draft.close, functools.partial(filesystem.rm_file, path)):
                with contextlib.suppress(Exception):
                    clean()
            raise

    def _open(self) -> tuple[Any, str]:
        # Opened by the one who delivers, not at start: some storages keep threads, which no fork carries over.
        if self.scheme == "file":
            return fsspec.filesystem("file"), self._root
        filesystem, root = fsspec.core.url_to_fs(self._root)
        return filesystem, root


class Draft:
    """A file under a temporary name, which counts what is written to it."""

    def __init__(self, filesystem: Any, path: str, folder: str) -> None:
        self.written = 0
        self._filesystem = filesystem
        try:
            self._file = self._create(path)
        except FileNotFoundError:
            # Only now: object stores have no folders, and some would make a bucket.
            filesystem.makedirs(folder, exist_ok=True)
            self._file = self._create(path)

    def _create(self, path: str) -> Any:
        file = self._filesystem.open(path, "wb", block_size=_PART_BYTES)
        if getattr(self._filesystem, "local_file", False):
            hold(file.fileno())
        return file

    def write(self, chunk: bytes) -> None:
        """Append the chunk."""
        self._file.write(chunk)
        self.written += len(chunk)

    def settle(self) -> None:
        """On a disk, wait until the bytes are on it: a record must not outlive, in a power cut, the file it names."""
        if getattr(self._filesystem, "local_file", False):
            self._file.flush()
            os.fsync(self._file.fileno())
            os.utime(self._file.fileno())  # no longer locked once it is closed, but young

    def close(self) -> None:
        """Close the file, which sends the last part to a remote storage."""
        self._file.close()
