"""The systems compared under the same load. Each is one worker process that turns order numbers into hook calls."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from celery import Celery, chain

from benchmarks.system import System, order
from harness import ROOT, Process, until
from renderline.producer import enqueue_renders

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"


class Contender(Protocol):
    """A system under load. `worker` is the process whose CPU time counts."""

    name: str
    worker: Process

    def ask(self, numbers: Sequence[int]) -> None:
        """Enqueue these orders."""


@dataclass(frozen=True)
class Setup:
    """The addresses of vendor and endpoint; `body` is a file with the vendor's body."""

    system: System
    vendor_url: str
    hook_url: str
    body: Path

    def environ(self, *, poll_every: float) -> dict[str, str]:
        """Return the environment of a peer."""
        return {
            "REDIS_URL": self.system.valkey.url,
            "VENDOR_URL": self.vendor_url,
            "HOOK_URL": self.hook_url,
            "VENDOR_BODY": str(self.body),
            "POLL_EVERY": f"{poll_every:g}",
        }


class Fed(Process):
    """A process that reads order numbers from its standard input."""

    def __init__(self, command: list[str], *, log: Path, environ: Mapping[str, str]) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
                start_new_session=True,
            )
        until(lambda: "ready" in self.output(), seconds=30, what=f"{command[-1]} ready")

    def feed(self, numbers: Sequence[int]) -> None:
        """Write the numbers, one a line."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("".join(f"{number}\n" for number in numbers).encode())
        self.popen.stdin.flush()


class Renderline:
    """This repository, with a poll policy scaled down as the renders are."""

    name = "renderline"

    def __init__(self, setup: Setup, **environ: str) -> None:
        self._hook_url = setup.hook_url
        self.worker: Process = setup.system.workers(1, setup.vendor_url, **environ)[0]
        self._app = Celery("producer", broker=setup.system.valkey.url)

    def ask(self, numbers: Sequence[int]) -> None:
        """Enqueue through the producer module."""
        enqueue_renders(self._app, [order(number, self._hook_url) for number in numbers])


class PlainChain:
    """Builds, submits, polls with retries and calls the hook in one Celery chain."""

    name = "chain"

    def __init__(self, setup: Setup, *, poll_every: float) -> None:
        environ = setup.environ(poll_every=poll_every)
        self._app, self._hook_url = Celery("producer", broker=environ["REDIS_URL"]), setup.hook_url
        queues = ("requests", "submit", "poll", "hooks")
        command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.plain_chain.app", "worker"]
        self.worker: Process = setup.system.run("chain", [*command, "-Q", ",".join(queues)], environ)

    def ask(self, numbers: Sequence[int]) -> None:
        """Send a chain for each order."""
        for number in numbers:
            links = [
                self._link("chain.build", "requests", number, f"Order {number}"),
                self._link("chain.submit", "submit"),
                self._link("chain.poll", "poll"),
                self._link("chain.hook", "hooks", number, self._hook_url, immutable=True),
            ]
            chain(*links, app=self._app).apply_async()

    def _link(self, task: str, queue: str, *args: Any, immutable: bool = False) -> Any:
        return self._app.signature(task, args=args, queue=queue, immutable=immutable)


class ArqLoop:
    """One arq job per render, on aiohttp."""

    name = "arq"

    def __init__(self, setup: Setup, *, poll_every: float) -> None:
        environ = setup.environ(poll_every=poll_every)
        command = [str(PEERS_PYTHON), "-m", "arq", "benchmarks.peers.arq_loop.worker.Settings"]
        self.worker: Process = setup.system.run("arq", command, environ)
        feeder = [str(PEERS_PYTHON), "-m", "benchmarks.peers.arq_loop.feed"]
        self._feeder = setup.system.keep(Fed(feeder, log=setup.system.log("feed"), environ=environ))

    def ask(self, numbers: Sequence[int]) -> None:
        """Enqueue a job for each order."""
        self._feeder.feed(numbers)


class SampleLoop:
    """The vendor's sample, with a thread per render."""

    name = "sample"

    def __init__(self, setup: Setup, *, poll_every: float) -> None:
        environ = setup.environ(poll_every=poll_every)
        command = [sys.executable, "-m", "benchmarks.peers.sample_loop"]
        self._loop = Fed(command, log=setup.system.log("sample"), environ=environ)
        self.worker: Process = setup.system.keep(self._loop)

    def ask(self, numbers: Sequence[int]) -> None:
        """Start a loop for each order."""
        self._loop.feed(numbers)
