"""A folder on a disk, reached without following a symbolic link below the storage."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import BinaryIO

from renderline.storage.partial_file import lock, remove_abandoned

FOLDER_MODE, FILE_MODE = 0o750, 0o640
"""What the process' umask leaves of these: a group may read the videos, the rest of the machine may not."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


class LocalPlace:
    """The folder `parts` below `root`. Folders that are missing are made.

    The root is the operator's and may be a link. Below it each part is opened by itself, relative to the one before,
    and none may be a link: somebody who can write there must not lead files elsewhere. Everything later goes through
    the descriptor, so that a part that is replaced by a link meanwhile changes nothing.
    """

    def __init__(self, root: str, parts: Sequence[str], *, make: bool = True) -> None:
        """Open the folder; raises OSError. Without `make`, a missing folder is a FileNotFoundError."""
        if make:
            os.makedirs(root, mode=FOLDER_MODE, exist_ok=True)
        self._folder = os.open(root, _FOLDER)
        try:
            for part in parts:
                inner = _open_below(part, self._folder, make=make)
                os.close(self._folder)
                self._folder = inner
        except BaseException:
            os.close(self._folder)
            raise
        if make:
            remove_abandoned(self._folder, "/".join([root, *parts]))

    def __enter__(self) -> LocalPlace:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self._folder)

    def create(self, leaf: str) -> LocalPartial:
        """Return a new partial file for `leaf`; raises OSError."""
        return LocalPartial(self._folder, leaf)

    def exists(self, leaf: str) -> bool:
        """Return whether something has the name, be it a link that leads nowhere; raises OSError for a folder."""
        try:
            found = os.stat(leaf, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(f"{leaf} is a folder")
        return True

    def open(self, leaf: str) -> BinaryIO:
        """Open a file for reading; a link is not followed."""
        descriptor = os.open(leaf, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{leaf} is no file")
        return os.fdopen(descriptor, "rb")

    def open_whole(self, leaf: str) -> tuple[BinaryIO, int, str]:
        """Open a file as `open` does; returns it with its size, and a text that changes with it."""
        file = self.open(leaf)
        found = os.fstat(file.fileno())
        return file, found.st_size, f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"

    def files(self) -> Iterator[tuple[str, float]]:
        """Yield the names of the files, and when each was changed last; hidden and partial ones are left out."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders in this one."""
        with os.scandir(self._folder) as entries:
            yield from (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))

    def remove(self, leaf: str) -> None:
        """Remove a file; raises FileNotFoundError."""
        os.unlink(leaf, dir_fd=self._folder)

    def put(self, partial: LocalPartial, leaf: str, *, replace: bool) -> bool:
        """Give the partial file its name, in one atomic step; without `replace`, False if the name is taken."""
        names = {"src_dir_fd": self._folder, "dst_dir_fd": self._folder}
        if replace:
            os.rename(partial.name, leaf, **names)
        else:
            try:
                os.link(partial.name, leaf, **names, follow_symlinks=False)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                # A file system without hard links has no such step: what others write in this instant is replaced.
                if self.exists(leaf):
                    return False
                os.rename(partial.name, leaf, **names)
        partial.remove()
        os.fsync(self._folder)
        return True


class LocalPartial:
    """A file under a temporary name, locked while it is written; it counts the bytes."""

    def __init__(self, folder: int, leaf: str) -> None:
        self.written = 0
        self.name = f".{leaf}.{secrets.token_hex(8)}.part"
        self._folder = folder
        self._file: BinaryIO = os.fdopen(os.open(self.name, _NEW_FILE, FILE_MODE, dir_fd=folder), "wb")
        lock(self._file.fileno())

    def write(self, chunk: bytes) -> None:
        """Append the chunk."""
        self._file.write(chunk)
        self.written += len(chunk)

    def finish(self) -> None:
        """Wait until the bytes are on the disk: after a power cut a record must not name a file that is lost.

        Raises OSError if the disk has not all of them. The file stays open, and so locked.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        size = os.fstat(self._file.fileno()).st_size
        if size != self.written:
            raise OSError(f"{self.written} bytes were written, but the storage holds {size}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def remove(self) -> None:
        """Remove the temporary name, if it is still there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self._folder)


def _open_below(part: str, folder: int, *, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, FOLDER_MODE, dir_fd=folder)
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refusal(part, folder, error) from None


def _refusal(part: str, folder: int, error: OSError) -> OSError:
    try:
        linked = stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        linked = False
    return OSError(f"{part} is a symbolic link; below the storage none is followed") if linked else error
