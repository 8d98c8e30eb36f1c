"""Runs the Procfile's processes: started in order, watched, logged to files, always stopped."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from honcho.environ import expand_processes, parse_procfile
from honcho.printer import Message
from honcho.process import Process

ROOT = Path(__file__).resolve().parents[2]

# A worker finishes its tasks; after this many seconds it is killed, which loses nothing.
_PATIENCE = 8.0


class ProcessEnded(RuntimeError):
    """A process ended by itself; the text says which one and its exit code."""


@dataclass
class _Running:
    process: Process
    log: IO[bytes]
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    pid: int | None = None
    returncode: int | None = None


class Processes:
    """Starts roles of the Procfile with the given environment; each process is a session of its own.

    As a context manager it stops them all at the end, also after an exception. If this process is killed, a guard of
    its own stops them.
    """

    def __init__(self, environ: Mapping[str, str], *, logs: Path, concurrency: Mapping[str, int]) -> None:
        commands = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes
        self._known = expand_processes(commands, concurrency=dict(concurrency), env=dict(environ))
        self._logs = logs
        self._running: dict[str, _Running] = {}
        self._events: queue.Queue[Message] = queue.Queue()
        self._ended: set[str] = set()
        self._guard: subprocess.Popen[str] | None = None
        logs.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._collect, name="process-output", daemon=True).start()

    def start(self, *roles: str, **own: str) -> None:
        """Start every process of the given roles; `own` are variables that they alone have."""
        for known in self._known:
            if known.name.partition(".")[0] not in roles:
                continue
            process = Process(known.cmd, name=known.name, env={**known.env, **own}, cwd=ROOT)
            log = (self._logs / f"{known.name}.log").open("wb")
            self._running[known.name] = running = _Running(process, log)
            threading.Thread(target=self._run, args=(running,), name=known.name, daemon=True).start()

    def raise_if_any_ended(self) -> None:
        """Raise ProcessEnded if a process has ended."""
        for name, running in self._running.items():
            if running.ended.is_set():
                self._ended.add(name)
                raise ProcessEnded(f"{name} ended with exit code {running.returncode}")

    def stop(self) -> None:
        """Send SIGTERM to all, Redis last, and SIGKILL to those that do not end in time."""
        last = [running for name, running in self._running.items() if name.startswith("redis.")]
        others = [running for running in self._running.values() if running not in last]
        for group in (others, last):
            for running in group:
                self._signal(running, signal.SIGTERM)
            give_up = time.monotonic() + _PATIENCE
            for running in group:
                if not running.ended.wait(max(0.0, give_up - time.monotonic())):
                    self._signal(running, signal.SIGKILL)
            for running in group:
                running.ended.wait(2.0)

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of every log; processes that ended by themselves come last."""
        parts = []
        for path in sorted(self._logs.glob("*.log"), key=lambda path: (path.stem in self._ended, path)):
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            parts += [f"--- {path}", *text] if text else []
        return "\n".join(parts)

    def __enter__(self) -> Processes:
        command = [sys.executable, "-m", "workers.demo.guard"]
        self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            # A second Ctrl-C must not leave half of them behind.
            with ignored(signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self.stop()
                self._dismiss_guard()
        except BaseException:
            # A signal came before they were ignored.
            self.stop()
            raise

    def _dismiss_guard(self) -> None:
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()

    def _run(self, running: _Running) -> None:
        try:
            running.process.run(self._events)
        except OSError as error:
            for kind, data in (("line", f"cannot start: {error}\n".encode()), ("stop", {"returncode": 127})):
                self._events.put(Message(kind, data, datetime.now(), running.process.name, None))

    def _collect(self) -> None:
        while True:
            message = self._events.get()
            running = self._running[message.name]
            if message.type == "start":
                running.pid = message.data["pid"]
                if self._guard and self._guard.stdin:
                    print(running.pid, file=self._guard.stdin, flush=True)
                running.started.set()
            elif message.type == "line":
                running.log.write(message.data)
                running.log.flush()
            elif message.type == "stop":
                running.returncode = message.data["returncode"]
                running.started.set()
                running.ended.set()
                running.log.close()

    @staticmethod
    def _signal(running: _Running, number: int) -> None:
        # Between fork and its first message the process id is unknown.
        running.started.wait(5.0)
        if running.pid is not None and not running.ended.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.pid, number)


@contextlib.contextmanager
def ignored(*numbers: int) -> Iterator[None]:
    """Ignore the given signals inside the block (main thread only)."""
    # Not SIG_IGN: a process that starts now would inherit it.
    before = [(number, signal.signal(number, lambda *_: None)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
