"""A process on a terminal of its own, and what it shows there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Starts a command on a terminal of `lines` and `columns`."""

    def __init__(
        self, command: Sequence[str], *, environ: Mapping[str, str], folder: Path, lines: int = 30, columns: int = 120
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._set_size(lines, columns)
        # What is said of another terminal.
        environ = {name: value for name, value in environ.items() if name not in ("NO_COLOR", "LINES", "COLUMNS")}
        self.popen = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Linux answers EIO once the other side is closed.
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65536):
                self._seen += data

    def _set_size(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines: int, columns: int) -> None:
        """Give the terminal another size, as a window does that somebody drags."""
        self._set_size(lines, columns)
        self.popen.send_signal(signal.SIGWINCH)

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        os.write(self._ours, text.encode())

    @property
    def raw(self) -> str:
        """Return what was written so far."""
        return self._seen.decode(errors="replace")

    @property
    def text(self) -> str:
        """Return what was shown so far, without the escape sequences."""
        return _ESCAPES.sub("", self.raw)

    def end(self, seconds: float = 40) -> int:
        """Wait for the end and return the exit code."""
        code = self.popen.wait(seconds)
        self._reader.join(60)
        return code

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(60)
        os.close(self._ours)

    def __str__(self) -> str:
        return self.raw
