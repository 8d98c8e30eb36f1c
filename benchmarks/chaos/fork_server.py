"""Starts workers fast: forks them from a process that has only imported their application.

A worker that is killed every second would spend most of its life importing. `python -m benchmarks.chaos.fork_server
APP` reads one JSON object a line, `{"argv": [...], "log": "..."}`, and answers each with the pid of a new worker.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from celery.__main__ import main as celery

from harness import ROOT, Process, until


class ForkServer(Process):
    """The process that forks workers of the Celery application `app`, all with the environment `environ`."""

    def __init__(self, app: str, *, log: Path, environ: Mapping[str, str]) -> None:
        self.log = log
        self._app = app
        self._lock = threading.Lock()
        with log.open("ab") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.chaos.fork_server", app],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
                start_new_session=True,
            )

    def start(self, queues: str, log: Path) -> ForkedWorker:
        """Start a worker that serves these queues."""
        argv = ["celery", "-A", self._app, "worker", "-Q", queues, "-n", f"{log.stem}-{os.getpid()}@localhost"]
        log.touch()
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        with self._lock:
            self.popen.stdin.write(json.dumps({"argv": argv, "log": str(log)}).encode() + b"\n")
            self.popen.stdin.flush()
            answer = self.popen.stdout.readline()
        assert answer, f"the fork server ended: {self.output()[-2000:]}"
        return ForkedWorker(int(answer), log)

    def kill(self) -> None:
        """End the fork server; its workers go on."""
        super().kill()
        for pipe in (self.popen.stdin, self.popen.stdout):
            assert pipe is not None
            pipe.close()


class ForkedWorker(Process):
    """A forked worker. It is not a child of this process, so a pidfd shows whether it runs."""

    def __init__(self, pid: int, log: Path) -> None:
        self.log, self.pid = log, pid
        try:
            self._alive: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._alive = None

    @property
    def running(self) -> bool:
        """Return whether it runs."""
        if self._alive is not None and select.select([self._alive], [], [], 0)[0]:
            os.close(self._alive)
            self._alive = None
        return self._alive is not None

    def signal(self, number: int) -> None:
        """Send a signal to it; it has no children."""
        if self.running:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        until(lambda: not self.running, what=f"the end of {self.pid}")


def serve(app: str) -> None:
    """Fork a worker for every line of the standard input."""
    application = importlib.import_module(app).app
    for name in ("celery.bin.worker", "celery.apps.worker", "celery.worker.consumer", "celery.concurrency.thread"):
        importlib.import_module(name)
    application.loader.import_default_modules()
    # Children need not collect the existing objects.
    gc.freeze()
    # The exit codes of workers are not needed.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while line := sys.stdin.readline():
        command = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(command["argv"], Path(command["log"]))
        print(pid, flush=True)


def _become(argv: Sequence[str], log: Path) -> None:
    """Continue as `celery` with these arguments; does not return."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = list(argv)
    sys.exit(celery())


if __name__ == "__main__":
    serve(sys.argv[1])
