"""A file on this worker's disk for as long as it is needed: it has no name, so that a killed process leaves nothing."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Callable
from typing import Any, BinaryIO, cast

_READ = 128 * 1024


class Spool:
    """A temporary file. Each reader has its own position; `keep` is called as it is read."""

    def __init__(self, keep: Callable[[], None] = lambda: None) -> None:
        self._file = tempfile.TemporaryFile(prefix="renderline-")  # noqa: SIM115 (it lives as long as this object)
        self._keep = keep
        self._closing = weakref.finalize(self, self._file.close)
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append to it."""
        self._file.write(chunk)
        self.size += len(chunk)

    def open(self) -> BinaryIO:
        """Open it for reading, from its beginning."""
        self._file.flush()
        return cast(BinaryIO, io.BufferedReader(_Reader(self), _READ))

    def read_at(self, position: int, count: int) -> bytes:
        """Return up to `count` bytes at a position."""
        self._keep()
        return os.pread(self._file.fileno(), count, position)

    def fileno(self) -> int:
        """Return the descriptor, by which others learn the size."""
        return self._file.fileno()

    def close(self) -> None:
        """Delete it; the end of the last reference to it does so, too."""
        self._closing()


class _Reader(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool, self._position = spool, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._spool.read_at(self._position, len(buffer))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._spool.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def fileno(self) -> int:
        return self._spool.fileno()
