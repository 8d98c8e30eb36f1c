"""The processes of one measurement: a Valkey, a vendor, a hook endpoint, workers. All end with it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from benchmarks.machine import cpu_seconds
from harness import HOOK_SECRET, USER_KEY, Process, SandboxProcess, Valkey, Worker, free_port, until
from harness.gateway import GatewayProcess

QUEUES = "requests,submit,poll,hooks"
SECRET_KEY = "a secret key of the benchmarks, 32 and more"
_AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}


class Stub(Process):
    """The stand-in for vendor and endpoints, as a process; `options` are those of `benchmarks.stub`."""

    def __init__(self, log: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._session = requests.Session()
        self._session.trust_env = False
        super().__init__([sys.executable, "-m", "benchmarks.stub", "--port", str(self.port), *options], log=log)
        until(self._answers, what=f"stub: {self.output()}")

    def _answers(self) -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return self._session.get(f"{self.url}/_stub/counts", timeout=5).ok
        return False

    def ask(self, what: str) -> Any:
        """Return the answer to a control call: `counts`, `hooks`, `creates`, `reset`."""
        return self._session.get(f"{self.url}/_stub/{what}", timeout=10).json()

    def count(self, call: str) -> int:
        """Return how many calls of a kind it has received."""
        return int(self.ask("counts").get(call, 0))


@dataclass
class System:
    """The processes of one measurement. `environ` is the environment of its workers."""

    directory: Path
    valkey: Valkey
    environ: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    def stub(self, *options: str) -> Stub:
        """Start a stub."""
        return self.keep(Stub(self.log("stub"), *options))

    def sandbox(self, *options: str) -> SandboxProcess:
        """Start a sandbox."""
        return self.keep(SandboxProcess(self.log("sandbox"), *options))

    def run(self, name: str, command: list[str], environ: dict[str, str] | None = None) -> Process:
        """Start any other process."""
        return self.keep(Process(command, log=self.log(name), environ=environ))

    def gateway(self, **environ: str) -> GatewayProcess:
        """Start a gateway."""
        return self.keep(GatewayProcess(self.log("gateway"), threads=16, REDIS_URL=self.valkey.url, **environ))

    def workers(self, count: int, vendor: str, *, queues: str = QUEUES, **environ: str) -> list[Worker]:
        """Start worker processes for the vendor at this URL, and wait until they take messages."""
        settings = {
            "REDIS_URL": self.valkey.url,
            "AISTUDIOS_BASE_URL": vendor,
            "AISTUDIOS_V2_BASE_URL": vendor,
            "AISTUDIOS_APP_ID": "studioV3.benchmarks",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_DATA_DIR": str(self.directory),
            "RENDERLINE_WAIT_FOR_DISK": "auto",
            **self.environ,
            **environ,
        }
        started = [self.keep(Worker(self.log("worker"), queues=queues, environ=settings)) for _ in range(count)]
        for worker in started:
            worker.wait_ready()
        return started

    def keep(self, process: Any) -> Any:
        """End this process together with the system; returns it."""
        self.processes.append(process)
        return process

    def log(self, name: str) -> Path:
        """Return the log file of the next process of this name."""
        return self.directory / f"{name}-{len(self.processes)}.log"

    def end(self, *processes: Process) -> None:
        """End these processes now."""
        for process in processes:
            process.kill()
            self.processes.remove(process)

    @classmethod
    @contextlib.contextmanager
    def open(cls, **environ: str) -> Iterator[Self]:
        """Start a system with a Valkey of its own; all its processes end with it."""
        with contextlib.ExitStack() as parts:
            directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="renderline-bench-")))
            # Valkey rewrites its log when the log has doubled, at times that depend on chance.
            valkey = parts.enter_context(Valkey(directory, "--auto-aof-rewrite-percentage", "0"))
            system = cls(directory, valkey, environ)
            try:
                yield system
            finally:
                for process in system.processes:
                    process.kill()


class Meter:
    """CPU time of some processes, and wall time, since this was made."""

    def __init__(self, **processes: Process | None) -> None:
        self._pids = {name: process.popen.pid for name, process in processes.items() if process is not None}
        self._before = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        self._begin = time.monotonic()

    def read(self) -> tuple[float, dict[str, float]]:
        """Return the wall time, and the CPU seconds by name."""
        passed = time.monotonic() - self._begin
        return passed, {name: cpu_seconds(pid) - self._before[name] for name, pid in self._pids.items()}


def order(number: int, hook_url: str) -> dict[str, Any]:
    """Return the render request that benchmarks send: one scene and one signed HTTP hook."""
    return {
        "kind": "project",
        "name": f"Order {number}",
        "scenes": [{"script": "Hello.", "avatar": _AVATAR}],
        "hooks": [{"type": "http", "url": hook_url}],
        "metadata": {"order": str(number)},
    }


def scrub() -> None:
    """Remove the shell's own variables: they must not change what is measured."""
    for name in [name for name in os.environ if name.startswith(("REDIS_", "AISTUDIOS_", "RENDERLINE_", "CELERY_"))]:
        del os.environ[name]
    os.environ["RENDERLINE_ENV_FILE"] = ""
