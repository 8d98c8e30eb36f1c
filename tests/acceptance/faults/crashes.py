"""Crash tests: run a render until its worker is killed, start another worker, check how the render ends."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis

from harness import HOOK_SECRET, USER_KEY, HookEndpoint, SandboxProcess, Valkey, until
from harness.fork_server import ForkedWorker, shared
from harness.forked_sandbox import ForkedSandbox
from renderline import contract
from renderline.ledger import Ledger
from renderline.renders import FINAL

LEASE, SWEEP = 2.0, 0.5
RENDER = 0.35
ORPHANS = 9 * LEASE
"""Seconds within which the drafts of an ended render are looked for and deleted."""
AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
ENDS = {str(state) for state in FINAL}


def lists_of(queue: str) -> list[str]:
    """Return the keys of a queue's lists: on Redis each priority step has its own."""
    return [queue, *(f"{queue}\x06\x16{step}" for step in (3, 6, 9))]


@dataclass
class CrashSystem:
    """The system of one crash: a database of the shared Valkey, an account at a sandbox, the hook endpoint."""

    number: int
    valkey: Valkey
    sandbox: SandboxProcess
    hook_endpoint: HookEndpoint
    directory: Path
    environ: dict[str, str] = field(default_factory=dict)
    workers: list[ForkedWorker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = self.valkey.url.removesuffix("/0") + f"/{self.number}"
        self.redis = Redis.from_url(self.url, decode_responses=True)
        self.ledger = Ledger(self.redis, grace=LEASE)
        self.producer = Celery(f"producer-{self.number}", broker=self.url)
        self.key = f"system-{self.number}"
        self.id = contract.render_id_for_key(self.key)
        self.environ = {
            "REDIS_URL": self.url,
            "AISTUDIOS_BASE_URL": self.sandbox.url,
            "AISTUDIOS_V2_BASE_URL": self.sandbox.url,
            "AISTUDIOS_APP_ID": f"studioV3.{self.number}",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "AISTUDIOS_V2_SECRET_KEY": f"v2-secret-key-{self.number}",
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (self.directory / "videos").as_uri(),
            "RENDERLINE_DATA_DIR": str(self.directory),
            # Longer than a render: the first poll finds it done, so that every run makes the same calls.
            "RENDERLINE_POLL_MIN": str(RENDER * 2),
            "RENDERLINE_LEASE": str(LEASE),
            "RENDERLINE_SLOW_LEASE": str(LEASE),
            "RENDERLINE_SWEEP_EVERY": str(SWEEP),
            "RENDERLINE_EVIDENCE_WINDOW": str(2 * LEASE),
            "RENDERLINE_WORKER_CONCURRENCY": "4",
            # The scenario that checks names says so: the others make the calls of their plan alone.
            "RENDERLINE_UNKNOWN_NAMES": "ignore",
            **self.environ,
        }

    def start(self, *, queues: str = ",".join(contract.QUEUES), failing: bool = False, **environ: str) -> ForkedWorker:
        """Start a worker of the product, or with `failing` one that can end itself.

        Wait until it takes messages (or has ended).
        """
        log = self.directory / f"worker-{self.number}-{len(self.workers)}.log"
        app = "tests.acceptance.faults.failing_app" if failing else "workers.app"
        # Without what makes workers wait at their start.
        options = ("--without-mingle", "--without-gossip")
        worker = shared().start(queues, log, app=app, options=options, environ={**self.environ, **environ})
        self.workers.append(worker)
        until(lambda: not worker.running or " ready." in worker.output(), what="worker ready")
        return worker

    def send(self, request: dict[str, Any]) -> None:
        """Send the request through the Celery door, under the system's key."""
        hooks = [{"type": "download"}, {"type": "http", "url": self.hook_endpoint.url}]
        body = {"kind": "project", "scenes": [{"script": "Hello.", "avatar": AVATAR}], "hooks": hooks, **request}
        self.producer.send_task(contract.REQUEST, kwargs={"request": body, "key": self.key}, queue="requests")

    def state(self) -> str | None:
        """Return the render's state, None before it is accepted."""
        state = self.redis.hget(f"renderline:render:{self.id}", "state")
        return None if state is None else str(state)

    def settled(self) -> bool:
        """Return whether the render came to its end and owes no hook any more."""
        return self.state() in ENDS and self.redis.zscore("renderline:resend", self.id) is None

    def stands_still(self) -> bool:
        """Return whether the sweep would send the render again now."""
        wake = self.redis.zscore("renderline:resend", self.id)
        return wake is not None and float(wake) < self.redis.time()[0]

    def unacknowledged(self) -> dict[str, str]:
        """Return the messages that some worker took and has not acknowledged."""
        return dict(self.redis.hgetall("unacked"))

    def deliver_again(self, messages: dict[str, str]) -> None:
        """Do what kombu does once the visibility timeout has passed: put the messages back, and let them be worked."""
        for tag, raw in messages.items():
            message, _, queue = json.loads(raw)
            self.redis.lpush(queue, json.dumps(message))
            self.redis.hdel("unacked", tag)
            self.redis.zrem("unacked_index", tag)
        until(self.quiet, what="the messages delivered again are done")

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue, of every priority."""
        return sum(int(self.redis.llen(key)) for key in lists_of(queue))

    def quiet(self) -> bool:
        """Return whether no message waits or is being worked."""
        return not self.redis.hlen("unacked") and not any(self.waiting(queue) for queue in contract.QUEUES)

    def projects(self) -> list[dict[str, Any]]:
        """Return every project that was ever made for the render."""
        return list(self.sandbox.control("GET", f"projects?name={self.id}"))

    def drafts(self) -> list[dict[str, Any]]:
        """Return the drafts that lie at the vendor, neither exported nor deleted."""
        return [one for one in self.projects() if not one["exports"] and not one["deleted"]]

    def close(self) -> None:
        """End every process of this system."""
        for worker in self.workers:
            worker.kill()
        self.producer.close()
        self.redis.close()


@dataclass
class CrashResult:
    """How a render ended after its worker was killed."""

    record: dict[str, Any]
    exports: list[int]
    """For every project of the render that was exported, how often."""
    webhook_ids: list[str]
    recovered_in: float
    """Seconds from the kill to the end of the render, its hooks included."""
    left: dict[str, int]
    """What the ledger still keeps in its working sets."""
    drafts: int
    """Drafts at the vendor that nobody will export, once the orphans were looked for."""


class CrashHarness:
    """Creates systems; the sandbox, the hook endpoint and the Valkey are shared unless a crash needs its own."""

    def __init__(self, directory: Path, valkey: Valkey, sandbox: SandboxProcess, hook_endpoint: HookEndpoint) -> None:
        self.directory, self.valkey, self.sandbox, self.hook_endpoint = directory, valkey, sandbox, hook_endpoint
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def system(self, *, sandbox: SandboxProcess | None = None, **environ: str) -> CrashSystem:
        """Return a new system."""
        with self._lock:
            number = next(self._numbers)
        directory = self.directory / str(number)
        directory.mkdir()
        return CrashSystem(number, self.valkey, sandbox or self.sandbox, self.hook_endpoint, directory, environ)

    def webhook_ids(self, render_id: str) -> list[str]:
        """Return the `webhook-id` of every delivery for a render, in order."""
        return [
            headers["webhook-id"]
            for headers, raw in list(self.hook_endpoint.received.queue)
            if render_id.encode() in raw
        ]

    def own_sandbox(self) -> SandboxProcess:
        """Start a sandbox for one crash alone, whose calls can be held without holding others'."""
        with self._lock:
            log = self.directory / f"sandbox-{next(self._numbers)}.log"
        return ForkedSandbox(log, "--render-seconds", str(RENDER), "--list", "all")


def wait_until_dead(worker: ForkedWorker, *, what: str) -> None:
    """Wait until a worker that is to kill itself has done so."""
    try:
        code = worker.popen.wait(60)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{what} was never reached: {worker.output()[-3000:]}") from None
    assert code == -signal.SIGKILL, worker.output()[-3000:]


def recover(
    crash_harness: CrashHarness,
    system: CrashSystem,
    request: dict[str, Any],
    *,
    seconds: float,
    afterwards: Callable[[], object] = lambda: None,
) -> CrashResult:
    """Start another worker, wait for the render's end, deliver what the dead one held once more, and look.

    `afterwards` is called once the render has ended.
    """
    killed = time.monotonic()
    held = system.unacknowledged()
    system.start()
    if system.state() is None:
        # Nothing was promised yet. Its producer got no answer and asks again, under the same key.
        system.send(request)
    until(
        system.settled,
        seconds=seconds,
        what=f"{system.id} still {system.state()}: {system.workers[-1].output()[-3000:]}",
    )
    recovered_in = time.monotonic() - killed
    afterwards()
    system.deliver_again({tag: raw for tag, raw in system.unacknowledged().items() if tag in held})
    with contextlib.suppress(AssertionError):
        until(lambda: not system.drafts(), seconds=ORPHANS, what="orphan drafts deleted")
    record = system.ledger.record(system.id)
    assert record is not None
    names = ("wake", "due:default", "deadline", "parked:default")
    left = {name: int(system.redis.zcard(f"renderline:{name}")) for name in names}
    left["slots"] = int(system.redis.scard("renderline:slots:default"))
    exports = [project["exports"] for project in system.projects() if project["exports"]]
    return CrashResult(record, exports, crash_harness.webhook_ids(system.id), recovered_in, left, len(system.drafts()))
