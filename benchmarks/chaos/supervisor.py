"""The worker processes of a run: killed at random by SIGKILL and restarted at once, or frozen for a while."""

from __future__ import annotations

import functools
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chaos.contender import Contender
from harness import Process, until

_READY = " ready."


class Supervisor:
    """Keeps one worker process per entry of `queues` running."""

    def __init__(self, contender: Contender, queues: Sequence[str], *, directory: Path, seed: int) -> None:
        self._contender, self._queues, self._directory = contender, queues, directory
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._started = 0
        self._ready: set[Process] = set()
        self._frozen: set[Process] = set()
        self.kills = 0
        self.freezes = 0
        self.deaths = 0
        """How many workers ended by themselves after they took messages."""
        self.workers: list[Process] = []

    def start(self) -> None:
        """Start all workers and wait until they take messages."""
        self.workers = [self._start(queues) for queues in self._queues]
        for worker in self.workers:
            until(functools.partial(self._is_ready, worker), seconds=60, what=f"worker ready, see {worker.log}")

    def kill_one(self) -> bool:
        """Kill a random worker that takes messages and restart it; False if there is none."""
        with self._lock:
            index = self._choose()
            if index is None:
                return False
            self.workers[index].kill()
            self.kills += 1
            self._replace(index)
            return True

    def freeze_one(self) -> Process | None:
        """Freeze a random worker that takes messages, until it is resumed; None if there is none."""
        with self._lock:
            index = self._choose()
            if index is None:
                return None
            worker = self.workers[index]
            worker.signal(signal.SIGSTOP)
            self._frozen.add(worker)
            self.freezes += 1
            return worker

    def resume(self, worker: Process) -> None:
        """Resume a frozen worker."""
        with self._lock:
            self._frozen.discard(worker)
            worker.signal(signal.SIGCONT)

    def restart_ended(self) -> None:
        """Restart workers that ended by themselves, as a supervisor would."""
        with self._lock:
            self._revive()

    def stop(self) -> None:
        """End all workers."""
        with self._lock:
            for worker in self.workers:
                worker.kill()

    def _choose(self) -> int | None:
        self._revive()
        ready = [index for index, worker in enumerate(self.workers) if self._is_ready(worker)]
        return self._chance.choice(ready) if ready else None

    def _revive(self) -> None:
        for index, worker in enumerate(self.workers):
            if not worker.running:
                # A worker that starts while the broker is down ends before it takes a message.
                self.deaths += _READY in worker.output()
                self._replace(index)

    def _replace(self, index: int) -> None:
        self._ready.discard(self.workers[index])
        self.workers[index] = self._start(self._queues[index])

    def _start(self, queues: str) -> Process:
        self._started += 1
        return self._contender.start_worker(queues, self._directory / f"worker-{self._started:04d}.log")

    def _is_ready(self, worker: Process) -> bool:
        """Return whether a worker takes messages: it runs, has logged that it is ready, and is not frozen."""
        if not worker.running or worker in self._frozen:
            return False
        if worker not in self._ready and _READY in worker.output():
            self._ready.add(worker)
        return worker in self._ready


class Killer(threading.Thread):
    """Kills a worker every `every` seconds until stopped."""

    def __init__(self, supervisor: Supervisor, *, every: float) -> None:
        super().__init__(name="killer", daemon=True)
        self._supervisor, self._every = supervisor, every
        self._stopped = threading.Event()

    def run(self) -> None:
        """Kill on time; if no worker takes messages then, kill as soon as one does."""
        due = time.monotonic() + self._every
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            if self._supervisor.kill_one():
                # Late kills are made up for, but not at once.
                due = max(due + self._every, time.monotonic() + self._every / 2)
            else:
                self._stopped.wait(0.1)

    def stop(self) -> None:
        """Stop."""
        self._stopped.set()
        self.join(30)


class Freezer(threading.Thread):
    """Freezes a worker for a random time between the two of `seconds`, then sleeps, until stopped."""

    def __init__(self, supervisor: Supervisor, *, seconds: tuple[float, float], rest: float, seed: int) -> None:
        super().__init__(name="freezer", daemon=True)
        self._supervisor, self._seconds, self._rest = supervisor, seconds, rest
        self._chance = random.Random(seed)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Freeze, resume, sleep; a frozen worker is resumed at the end too."""
        while not self._stopped.wait(self._chance.uniform(0.5, 1.5) * self._rest):
            worker = self._supervisor.freeze_one()
            if worker is not None:
                self._stopped.wait(self._chance.uniform(*self._seconds))
                self._supervisor.resume(worker)

    def stop(self) -> None:
        """Stop."""
        self._stopped.set()
        self.join(30)
