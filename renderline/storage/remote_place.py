"""A folder in a storage that fsspec reaches, such as an object store."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from types import TracebackType
from typing import Any

# Size of the parts of an upload to a remote storage: 4 GiB are far fewer than S3's limit of 10,000 parts.
_PART_BYTES = 8 * 1024 * 1024
_READ_BYTES = 1024 * 1024


class RemotePlace:
    """A folder of a remote storage.

    An upload, even in parts, appears as one object. But fsspec commits it whenever it is closed, also after a failure.
    So it is uploaded under the partial file's key, and only a whole one is copied to its name within the store.
    """

    def __init__(self, filesystem: Any, folder: str) -> None:
        self._filesystem, self._folder = filesystem, folder

    def __enter__(self) -> RemotePlace:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Nothing is open but the partial file."""

    def create(self, leaf: str) -> RemotePartial:
        """Return a new partial file for `leaf`; raises what the storage's library raises."""
        return RemotePartial(self._filesystem, self._folder, leaf)

    def exists(self, leaf: str) -> bool:
        """Return whether there is such a file; raises OSError for a folder."""
        path = f"{self._folder}/{leaf}"
        self._filesystem.invalidate_cache()
        if self._filesystem.isdir(path):
            raise IsADirectoryError(f"{leaf} is a folder")  # mv would move the file into it
        return bool(self._filesystem.exists(path))

    def open(self, leaf: str) -> Any:
        """Open a file for reading, a few megabytes at a time."""
        return self._filesystem.open(f"{self._folder}/{leaf}", "rb", block_size=_READ_BYTES, cache_type="readahead")

    def open_whole(self, leaf: str) -> tuple[Any, int, str]:
        """Open a file as `open` does; returns it with its size, and a text that changes with it."""
        path = f"{self._folder}/{leaf}"
        self._filesystem.invalidate_cache()
        if self._filesystem.isdir(path):
            raise IsADirectoryError(f"{leaf} is a folder")
        return self.open(leaf), int(self._filesystem.size(path)), str(self._filesystem.ukey(path))

    def files(self) -> Iterator[tuple[str, float]]:
        """Yield the names of the files, and when each was changed last; hidden and partial ones are left out."""
        for entry in self._entries("file"):
            name = entry.rstrip("/").rpartition("/")[2]
            if not name.startswith("."):
                yield name, self._filesystem.modified(entry).timestamp()

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders in this one."""
        return (entry.rstrip("/").rpartition("/")[2] for entry in self._entries("directory"))

    def _entries(self, what: str) -> Iterator[str]:
        self._filesystem.invalidate_cache()
        return (each["name"] for each in self._filesystem.ls(self._folder, detail=True) if each["type"] == what)

    def remove(self, leaf: str) -> None:
        """Remove a file; raises FileNotFoundError."""
        self._filesystem.rm_file(f"{self._folder}/{leaf}")

    def put(self, partial: RemotePartial, leaf: str, *, replace: bool) -> bool:
        """Give the partial file its name. Stores have no step that does so only if it is free: `exists` said so."""
        self._filesystem.mv(partial.path, f"{self._folder}/{leaf}")
        return True


class RemotePartial:
    """A file under a temporary name; it counts the bytes."""

    def __init__(self, filesystem: Any, folder: str, leaf: str) -> None:
        self.written = 0
        self.path = f"{folder}/.{leaf}.{secrets.token_hex(8)}.part"
        self._filesystem = filesystem
        try:
            self._file = self._open()
        except FileNotFoundError:
            # Not earlier: object stores have no folders, and some would create a bucket.
            filesystem.makedirs(folder, exist_ok=True)
            self._file = self._open()

    def _open(self) -> Any:
        return self._filesystem.open(self.path, "wb", block_size=_PART_BYTES)

    def write(self, chunk: bytes) -> None:
        """Append the chunk."""
        self._file.write(chunk)
        self.written += len(chunk)

    def finish(self) -> None:
        """Close the file, which sends the last part; raises OSError if the storage has not all of it."""
        self._file.close()
        size = self._filesystem.size(self.path)
        if size != self.written:
            raise OSError(f"{self.written} bytes were written, but the storage holds {size}")

    def close(self) -> None:
        """Close the file: the storage would keep the parts of an upload that is never closed, and charge for them."""
        self._file.close()

    def remove(self) -> None:
        """Remove the temporary name, if it is still there."""
        with contextlib.suppress(FileNotFoundError):
            self._filesystem.rm_file(self.path)
