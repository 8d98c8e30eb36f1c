"""The worker processes of a run: started, killed at random by SIGKILL, and started again at once."""

from __future__ import annotations

import functools
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chaos.contender import Contender
from tests.parts import Process, until

_READY = " ready."


class Crew:
    """Keeps one worker process per entry of `queues` running."""

    def __init__(self, contender: Contender, queues: Sequence[str], *, directory: Path, seed: int) -> None:
        self._contender, self._queues, self._directory = contender, queues, directory
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._started = 0
        self.kills = 0
        self.workers: list[Process] = []

    def start(self) -> None:
        """Start all workers and wait until they take messages."""
        self.workers = [self._start(queues) for queues in self._queues]
        for worker in self.workers:
            until(functools.partial(self._ready, worker), seconds=60, what=f"worker ready, see {worker.log}")

    def kill_one(self) -> bool:
        """Kill a random one of the workers that take messages and start it again; False if none does just now."""
        with self._lock:
            self._revive()
            ready = [index for index, worker in enumerate(self.workers) if self._ready(worker)]
            if not ready:
                return False
            index = self._chance.choice(ready)
            self.workers[index].kill()
            self.kills += 1
            self.workers[index] = self._start(self._queues[index])
            return True

    def stop(self) -> None:
        """End all workers."""
        with self._lock:
            for worker in self.workers:
                worker.kill()

    def _revive(self) -> None:
        # One that ended by itself (its broker was away when it started) is started again, as a supervisor would.
        for index, worker in enumerate(self.workers):
            if worker.popen.poll() is not None:
                self.workers[index] = self._start(self._queues[index])

    def _start(self, queues: str) -> Process:
        self._started += 1
        return self._contender.start_worker(queues, self._directory / f"worker-{self._started:03d}.log")

    @staticmethod
    def _ready(worker: Process) -> bool:
        return worker.popen.poll() is None and _READY in worker.output()


class Killer(threading.Thread):
    """Kills a worker every `every` seconds until stopped."""

    def __init__(self, crew: Crew, *, every: float) -> None:
        super().__init__(name="killer", daemon=True)
        self._crew, self._every = crew, every
        self._stopped = threading.Event()

    def run(self) -> None:
        """Kill on time; if no worker takes messages just then, as soon as one does."""
        due = time.monotonic() + self._every
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            if self._crew.kill_one():
                due = max(due + self._every, time.monotonic() + self._every / 2)
            else:
                due = time.monotonic() + 0.1

    def stop(self) -> None:
        """Kill no more."""
        self._stopped.set()
        self.join(30)
