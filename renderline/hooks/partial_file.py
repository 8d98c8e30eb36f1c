"""Drafts of downloads whose writer was killed: told from those that are being written by a lock, and removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time

import structlog

log = structlog.get_logger(__name__)

_DRAFT = re.compile(r"\..+\.[0-9a-f]{16}\.part")
_YOUNG = 10.0
"""Seconds within which a draft is left alone: it may be between two steps, unlocked."""
_OLD = 86_400.0
"""Seconds after which a draft is taken for left over where the disk knows no locks; far above any download's limit."""
_EVERY = 600.0
"""Seconds between two looks of one process into the same folder."""

_looked_at: dict[str, float] = {}
_looking = threading.Lock()


def hold(descriptor: int) -> None:
    """Lock an open draft for as long as it is open, or its writer lives; where there are no locks, do nothing."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_from(folder: str) -> None:
    """Remove the drafts in a disk's folder that nobody writes any more; at most once in a while, and never failing."""
    now = time.monotonic()
    with _looking:
        if now < _looked_at.get(folder, 0.0):
            return
        if len(_looked_at) > 10_000:
            _looked_at.clear()
        _looked_at[folder] = now + _EVERY
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _DRAFT.fullmatch(entry.name):
                _remove(entry)


def _remove(entry: os.DirEntry[str]) -> None:
    with contextlib.suppress(OSError):
        if not entry.is_file(follow_symlinks=False):
            return
        age = time.time() - entry.stat(follow_symlinks=False).st_mtime
        if age > _YOUNG and _nobodys(entry.path, age):
            os.unlink(entry.path)
            log.info("left-over draft of a download removed", path=entry.path, age=round(age))


def _nobodys(path: str, age: float) -> bool:
    """Return whether nobody has the draft open for writing."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return age > _OLD
    finally:
        os.close(descriptor)
    return True
