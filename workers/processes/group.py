"""The processes of one run: started in order, watched, restarted alone, and always stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NoReturn

from workers.processes import ending, guard, procfile
from workers.processes.child import Child
from workers.processes.leaving import NUMBERS, ignored
from workers.processes.output import Output

# A worker finishes its tasks; after this many seconds it is killed, which loses nothing.
_PATIENCE = 8.0

# Seconds between two looks at them.
_LOOK = 0.2


class ProcessEnded(RuntimeError):
    """A process ended and is not started again; the text says which one, and how it ended."""


class Processes:
    """Starts the Procfile's processes with an environment; each is a session of its own.

    `counts` says how many there are of a kind (default: one); they are called worker.1, worker.2 and so on. As a
    context manager it stops them all at the end, also after an exception. If this process is killed, a guard of its own
    stops them. `patience` is how many seconds they have to stop.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        output: Output,
        counts: Mapping[str, int] | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        self._environ, self._output, self._patience = environ, output, patience
        self._counts = counts or {}
        self._commands = procfile.commands()
        self._children: list[Child] = []
        self._endings: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, *kinds: str, **own: str) -> None:
        """Start every process of the given kinds; `own` are variables that they alone have."""
        for kind in kinds:
            for name in procfile.names(kind, self._counts.get(kind, 1)):
                # As honcho calls it, so that the Procfile works with both.
                environ = {**self._environ, **own, "HONCHO_PROCESS_NAME": name}
                child = Child(name, self._commands[kind], environ, self._output)
                self._children.append(child)
                child.start(self._guarded())

    @property
    def pids(self) -> dict[str, int]:
        """Return the id of each process that runs, by its name."""
        return {child.name: child.pid for child in self._children if child.running}

    @property
    def ended(self) -> set[str]:
        """Return the names of the processes that have ended."""
        return {child.name for child in self._children if child.returncode is not None}

    def raise_if_any_ended(self) -> None:
        """Raise ProcessEnded if a process has ended."""
        for child in self._children:
            if child.returncode is not None:
                child.wait(0)
                raise ProcessEnded(f"{child.name} ended: {ending.how(child.returncode)}")

    def restart_ended(self, say: Callable[[str], None]) -> None:
        """Start each process again that has ended, alone, after a pause; call this often.

        The pause grows with each ending in a row, from one second to half a minute. `say` takes a line for each ending
        and each start. Raises ProcessEnded if one refuses its settings, because it would end again.
        """
        now = time.monotonic()
        for child in self._children:
            if (returncode := child.returncode) is None:
                continue
            if child.name not in self._due:
                # What it has started holds its port, and would go on beside the next one.
                child.signal(signal.SIGTERM)
                child.wait(0)
                if ending.refuses_settings(returncode):
                    raise ProcessEnded(
                        f"{child.name} refuses its settings ({ending.how(returncode)}): its lines above say which"
                    )
                pause = self._pause(child, now)
                say(f"{child.name} ended: {ending.how(returncode)}; it starts again in {pause:.0f} s")
            elif now >= self._due[child.name]:
                del self._due[child.name]
                child.signal(signal.SIGKILL)
                self._tell_guard(-child.pid)
                child.start(self._guarded())
                say(f"{child.name} started again (process {child.pid})")

    def keep(self, say: Callable[[str], None]) -> NoReturn:
        """Restart what ends, until an exception comes: that of a signal, or ProcessEnded."""
        while True:
            self.restart_ended(say)
            time.sleep(_LOOK)

    def _pause(self, child: Child, now: float) -> float:
        settled = now - child.started >= ending.SETTLED
        self._endings[child.name] = 1 if settled else self._endings.get(child.name, 0) + 1
        pause = ending.pause(self._endings[child.name])
        self._due[child.name] = now + pause
        return pause

    def stop(self) -> None:
        """Send SIGTERM to all, Redis last, and SIGKILL to those that do not end in time."""
        last = [child for child in self._children if child.name.startswith("redis.")]
        others = [child for child in self._children if child not in last]
        for group in (others, last):
            for child in group:
                child.signal(signal.SIGTERM)
            give_up = time.monotonic() + self._patience
            for child in group:
                if not child.wait(give_up - time.monotonic()):
                    child.signal(signal.SIGKILL)
                    child.wait(2.0)
                # What it started and left.
                child.signal(signal.SIGKILL)

    def __enter__(self) -> Processes:
        self._guarded()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            # A second Ctrl-C must not leave half of them behind.
            with ignored(*NUMBERS):
                self.stop()
                self._dismiss_guard()
        except BaseException:
            # A signal came before they were ignored.
            self.stop()
            raise

    def _guarded(self) -> IO[bytes]:
        """Return where the guard reads the ids of processes. It is started anew if somebody has ended it."""
        if self._guard is None or self._guard.poll() is not None:
            command = [sys.executable, "-I", guard.__file__, str(self._patience)]
            self._guard = subprocess.Popen(
                command, stdin=subprocess.PIPE, bufsize=0, cwd=procfile.ROOT, start_new_session=True
            )
            for pid in self.pids.values():
                self._tell_guard(pid)
        assert self._guard.stdin
        return self._guard.stdin

    def _tell_guard(self, number: int) -> None:
        if self._guard and self._guard.stdin:
            # One that is gone is replaced at the next start.
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(b"%d\n" % number)

    def _dismiss_guard(self) -> None:
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()


def beside_this_python(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which `celery` and `gunicorn` are those beside this Python, in any shell."""
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH") or os.defpath])
    return {**environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
