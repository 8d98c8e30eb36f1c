"""One process of the Procfile, in a session of its own: started, read, signalled, started again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import IO

from workers.processes import procfile
from workers.processes.output import Output

# The shell tells the guard its id before it becomes the process: whenever the run is killed, the guard knows it.
_ANNOUNCED = "echo $$ >&0; exec </dev/null; "


class Child:
    """A process of the Procfile. Its output goes to `output`, line by line, also that of its own children."""

    def __init__(self, name: str, command: str, environ: Mapping[str, str], output: Output) -> None:
        self.name = name
        self.pid = 0
        self.started = 0.0
        """When it was last started, in the seconds of `time.monotonic`."""
        self._command, self._environ, self._output = command, environ, output
        self._popen: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self, guard: IO[bytes]) -> None:
        """Start it, or start it again; it tells its id to the guard."""
        self._output.begin(self.name)
        self._popen = subprocess.Popen(
            ["/bin/sh", "-c", _ANNOUNCED + self._command],
            env=dict(self._environ),
            cwd=procfile.ROOT,
            stdin=guard,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid, self.started = self._popen.pid, time.monotonic()
        assert self._popen.stdout
        self._reader = threading.Thread(target=self._read, args=(self._popen.stdout,), name=self.name, daemon=True)
        self._reader.start()

    @property
    def returncode(self) -> int | None:
        """Return how it ended, negative for a signal; None while it runs or before it was started."""
        return self._popen.poll() if self._popen else None

    @property
    def running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to it and to what it started, also to what is left of that after its own end."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Return whether it ended within so many seconds, with all of its output read if nothing is left of it."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        if self._reader:
            self._reader.join(1.0)
        return True

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._output.write(self.name, line)
