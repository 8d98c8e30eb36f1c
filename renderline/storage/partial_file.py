"""Partial files: unfinished downloads under a temporary name. Those of killed workers are removed.

A partial file is locked while it is written; the lock ends with its writer's process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time

import structlog

log = structlog.get_logger(__name__)

_PARTIAL = re.compile(r"\..+\.[0-9a-f]{16}\.part")
_YOUNG = 10.0
"""Seconds within which a partial file is not removed: it may be unlocked between two steps."""
_OLD = 86_400.0
"""Seconds after which a partial file is removed where the disk has no locks; far above any download's time limit."""
_EVERY = 600.0
"""Seconds between two scans of the same folder by one process."""

_next_scan: dict[str, float] = {}
_scanning = threading.Lock()


def lock(descriptor: int) -> None:
    """Lock an open partial file until it is closed or its writer dies; do nothing where there are no locks."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_abandoned(folder: int, path: str) -> None:
    """Remove abandoned partial files in an open folder, at most every 10 minutes by its path. Never raises."""
    now = time.monotonic()
    with _scanning:
        if now < _next_scan.get(path, 0.0):
            return
        if len(_next_scan) > 10_000:
            _next_scan.clear()
        _next_scan[path] = now + _EVERY
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _PARTIAL.fullmatch(entry.name):
                _remove(entry, folder, path)


def _remove(entry: os.DirEntry[str], folder: int, path: str) -> None:
    with contextlib.suppress(OSError):
        if not entry.is_file(follow_symlinks=False):
            return
        age = time.time() - entry.stat(follow_symlinks=False).st_mtime
        if age > _YOUNG and _is_abandoned(entry.name, folder, age):
            os.unlink(entry.name, dir_fd=folder)
            log.info("partial file of a killed download removed", path=f"{path}/{entry.name}", age=round(age))


def _is_abandoned(name: str, folder: int, age: float) -> bool:
    """Return whether nobody has the file open for writing."""
    descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return age > _OLD
    finally:
        os.close(descriptor)
    return True
