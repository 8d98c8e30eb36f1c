"""Starts workers, gateways and sandboxes fast: forks them from a process that has imported what they need.

A process that lives for a second would spend most of its life importing. No setting is read before the fork.
`python -m harness.fork_server celery` (or another program) reads one JSON object a line: `{"argv": [...], "log": "...",
"environ": {...}}` is answered with the pid of a new process of that program, and `{"ended": pid}` with the exit code of
one that has ended.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from redis import Redis

from harness.processes import Process, Server, Worker
from harness.samples import ROOT
from renderline.ledger import Ledger

Program = Literal["celery", "gunicorn", "sandbox"]

_MAIN: Final = {
    "celery": ("celery.__main__", "main"),
    "gunicorn": ("gunicorn.app.wsgiapp", "run"),
    "sandbox": ("renderline.sandbox.__main__", "main"),
}
_IMPORTED: Final = {
    "celery": """billiard.dummy billiard.pool celery.app.control celery.app.events celery.app.log celery.apps.worker
celery.backends.redis celery.bin.celery celery.bin.worker celery.concurrency.thread celery.fixups.django
celery.worker.autoscale celery.worker.components celery.worker.consumer celery.worker.consumer.delayed_delivery
celery.worker.strategy jwt kombu.matcher kombu.pidbox kombu.transport.redis packaging.tags tasks.hook tasks.poll
tasks.request tasks.submit workers.application workers.composition.services workers.housekeeping workers.lifecycle""",
    "gunicorn": "gunicorn.arbiter gunicorn.glogging workers.gateway workers.gateway_worker",
    "sandbox": "renderline.sandbox.server",
}
"""What a program imports. Not a worker's application: that reads the environment. `REMAP_SIGTERM` is read by the first
import of Celery, so a worker with it needs a fork server with it."""


class ForkServer(Process):
    """The process that forks processes of one program, all with the environment `environ`."""

    def __init__(
        self, program: Program = "celery", *, log: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.log = log or Path(os.devnull)
        self._lock = threading.Lock()
        with self.log.open("ab") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "harness.fork_server", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})},
                start_new_session=True,
            )

    def start(
        self,
        queues: str,
        log: Path,
        *,
        app: str = "workers.app",
        options: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> ForkedWorker:
        """Start a worker of this Celery application that serves these queues."""
        argv = ["celery", "-A", app, "worker", "-Q", queues, "-n", f"{log.stem}-{os.getpid()}@localhost", *options]
        return ForkedWorker(self.fork(argv, log, environ or {}), log)

    def fork(self, argv: Sequence[str], log: Path, environ: Mapping[str, str]) -> Forked:
        """Start a process with these arguments, the first of which is the program's name."""
        log.touch()
        return Forked(self, self.ask({"argv": [*argv], "log": str(log), "environ": {**environ}}))

    def ask(self, question: Mapping[str, Any]) -> int:
        """Return the server's answer."""
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        with self._lock:
            self.popen.stdin.write(json.dumps(question).encode() + b"\n")
            self.popen.stdin.flush()
            answer = self.popen.stdout.readline()
        assert answer, f"the fork server ended: {self.output()[-2000:]}"
        return int(answer)

    def kill(self) -> None:
        """End the fork server; its workers go on."""
        super().kill()
        for pipe in (self.popen.stdin, self.popen.stdout):
            assert pipe is not None
            pipe.close()


@functools.cache
def shared(program: Program = "celery", **environ: str) -> ForkServer:
    """Return this process's fork server of a program with this environment, which ends with this process."""
    server = ForkServer(program, environ=environ)
    atexit.register(server.kill)
    return server


class Forked:
    """What `subprocess.Popen` is for a child, for a child of the fork server. A pidfd shows its end."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self.pid, self.returncode = pid, None
        self._server = server
        self._lock = threading.Lock()
        # Nobody else reads its exit code, so until then the pid is its own.
        self._fd = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return its exit code (negative: the signal that ended it), None while it runs."""
        return self._exit_code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its exit code."""
        code = self._exit_code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM to it, unless it has ended."""
        self.send_signal(signal.SIGTERM)

    def _exit_code(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._fd], [], [], timeout)[0]:
                self.returncode = self._server.ask({"ended": self.pid})
                os.close(self._fd)
            return self.returncode


class ForkedWorker(Worker):
    """A forked worker, in a process group of its own."""

    def __init__(self, forked: Forked, log: Path) -> None:
        self.log, self.popen = log, forked  # type: ignore[assignment]


class ForkedServer(Server):
    """A forked process of `program` that answers HTTP calls; with it as second base a class of servers is forked."""

    program: Program = "gunicorn"

    def __init__(self, command: list[str], *, port: int, log: Path, environ: dict[str, str] | None = None) -> None:
        self.port, self.url, self.log = port, f"http://127.0.0.1:{port}", log
        # `python -m NAME` has the name where a program has its own.
        argv = command[2:] if command[1] == "-m" else command
        self.popen = shared(self.program).fork(argv, log, environ or {})  # type: ignore[assignment]


def forked_worker(log: Path, *, queues: str, environ: Mapping[str, Any]) -> ForkedWorker:
    """Start a worker as `harness.processes.Worker` does, from this process's fork server."""
    # Tests have leases of a few seconds; tests of the disk wait set it themselves.
    texts = {"RENDERLINE_WAIT_FOR_DISK": "never", **{name: str(value) for name, value in environ.items()}}
    return shared().start(queues, log, environ=texts)


def serve(program: str) -> None:
    """Do what each line of the standard input says."""
    module, function = _MAIN[program]
    main = getattr(importlib.import_module(module), function)
    for name in _IMPORTED[program].split():
        importlib.import_module(name)
    # Composes the texts of the ledger's steps, which children need too. It does not connect.
    Ledger(Redis())
    # Children need not collect the existing objects.
    gc.freeze()
    while line := sys.stdin.readline():
        asked = json.loads(line)
        print(_exit_code(asked["ended"]) if "ended" in asked else _fork(asked, main), flush=True)


def _exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _fork(asked: Mapping[str, Any], main: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        os.environ.update(asked["environ"])
        _become(main, asked["argv"], Path(asked["log"]))
    # Here too: once the pid is known, the group may be signalled at once.
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)
    return pid


def _become(main: Callable[[], object], argv: Sequence[str], log: Path) -> None:
    """Continue as the program with these arguments; does not return."""
    os.setpgid(0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = list(argv)
    sys.exit(main())


if __name__ == "__main__":
    serve(sys.argv[1])
