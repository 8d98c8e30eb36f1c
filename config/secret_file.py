"""A secret read from a file: NAME_FILE beside each secret NAME, as systemd, Docker and Kubernetes hand them out."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Final

SUFFIX: Final = "_FILE"

_MOST: Final = 16_384
"""Bytes that a file may have: no secret is that long, and a wrong path may lead to a large one."""


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Return whether the environment has the secret `name`, itself or in a file."""
    return any(environ.get(one, "").strip() for one in (name, name + SUFFIX))


def lookup(environ: Mapping[str, str], name: str) -> str:
    """Return the text of the secret `name`, from the environment or its file; empty: there is none.

    Raises ValueError with a line that says what is wrong with the file, or that the secret is given twice.
    """
    given, path = (environ.get(one, "").strip() for one in (name, name + SUFFIX))
    if not path:
        return given
    if given:
        raise ValueError(f"{name}{SUFFIX}: must not be set beside {name}; unset one of the two")
    try:
        return _only_line(path)
    except _Unusable as problem:
        # What does not look like a path may be the secret itself.
        shown = f"={path!r}" if path.startswith(("/", "./", "../")) else " (value not shown)"
        raise ValueError(
            f"{name}{SUFFIX}{shown}: {problem}; it must be the path of a file that holds {name} on one line"
        ) from None


class _Unusable(Exception):
    """The file has no secret; the text is the reason."""


def _only_line(path: str) -> str:
    """Return the one line of the file, without space around it."""
    try:
        # Not blocking: a pipe without a writer would stop the process without a word.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _Unusable("it is no regular file")
            found = file.read(_MOST + 1)
    except OSError as problem:
        raise _Unusable(problem.strerror or type(problem).__name__) from None
    if len(found) > _MOST:
        raise _Unusable(f"the file has more than {_MOST} bytes")
    try:
        lines = [line.strip() for line in found.decode("utf-8-sig").rstrip().splitlines()]
    except UnicodeDecodeError:
        raise _Unusable("the file is not UTF-8") from None
    if not lines:
        raise _Unusable("the file is empty")
    if len(lines) > 1:
        raise _Unusable(f"the file has {len(lines)} lines")
    return lines[0]
