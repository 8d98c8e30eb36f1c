"""Where the output of the processes goes: a file for each, or one terminal with the process' name before each line."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection
from pathlib import Path
from typing import IO, Protocol

_COLOURS = (36, 33, 32, 35, 34, 31)


class Output(Protocol):
    """Takes the lines that processes write, from several threads."""

    def begin(self, name: str) -> None:
        """Note that the process of that name starts, perhaps again."""

    def write(self, name: str, line: bytes) -> None:
        """Take one line of the process of that name."""


class LogFiles:
    """A file for each process below a directory; those of an earlier run are replaced."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._begun: set[str] = set()
        directory.mkdir(parents=True, exist_ok=True)

    def begin(self, name: str) -> None:
        """Empty the process' file; one that starts again goes on in it."""
        if name not in self._begun:
            self._begun.add(name)
            self._path(name).write_bytes(b"")

    def write(self, name: str, line: bytes) -> None:
        """Append the line to the process' file."""
        with self._path(name).open("ab") as file:
            file.write(line)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def tail(self, last: Collection[str] = (), lines: int = 12) -> str:
        """Return the last lines of every file; those of the processes in `last` come last."""
        parts = []
        for path in sorted(self._directory.glob("*.log"), key=lambda path: (path.stem in last, path)):
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            parts += [f"--- {path}", *text] if text else []
        return "\n".join(parts)


class Prefixed:
    """One stream on which each line begins with the name of its process, in colour on a terminal."""

    def __init__(self, stream: IO[bytes], names: Collection[str], *, colours: bool) -> None:
        self._stream, self._lock = stream, threading.Lock()
        width = max(len(name) for name in names)
        self._prefixes = {
            name: f"\x1b[{_COLOURS[place % len(_COLOURS)]}m{name:<{width}} |\x1b[0m "
            if colours
            else f"{name:<{width}} | "
            for place, name in enumerate(names)
        }

    def begin(self, _name: str) -> None:
        """Do nothing: the run says itself what it starts."""

    def write(self, name: str, line: bytes) -> None:
        """Write the line behind its name. A stream that nobody reads any more does not stop the processes."""
        whole = self._prefixes[name].encode() + line.rstrip(b"\r\n") + b"\n"
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(whole)
            self._stream.flush()
