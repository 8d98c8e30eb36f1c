"""Many renders on a Redis of their own that is about to suffer: real worker processes, and the promise over all."""

from __future__ import annotations

import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis, RedisError

from renderline import contract
from renderline.ledger import Ledger
from renderline.renders import FINAL
from tests.parts import HOOK_SECRET, USER_KEY, Process, Receiver, SandboxProcess, Valkey, free_port, until

AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
LEASE, SWEEP = 3.0, 0.5


class Line:
    """A TCP relay that can be cut: its connections break, and its port is closed until it is mended."""

    def __init__(self, to: int) -> None:
        self.port, self._to = free_port(), to
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.mend()

    def mend(self) -> None:
        """Open the port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def cut(self, *, close: bool = True) -> None:
        """Break every connection; with `close` the port is closed too."""
        if close and self._listener:
            # Not only closed: a thread that waits in accept() would keep it open.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    # Both are shut, so that the thread of the other direction ends too; each closes the end that it read from.
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    one.close()


@dataclass
class Crowd:
    """A system under load, whose workers reach Redis over a line."""

    directory: Path
    valkey: Valkey
    sandbox: SandboxProcess
    receiver: Receiver
    line: Line
    environ: dict[str, str] = field(default_factory=dict)
    workers: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.redis = Redis.from_url(self.valkey.url, decode_responses=True)
        self.ledger = Ledger(self.redis)
        self.producer = Celery("producer", broker=self.valkey.url)
        self.producer.conf.broker_transport_options = {"socket_timeout": 5}
        self.environ = {
            "REDIS_URL": f"redis://127.0.0.1:{self.line.port}/0",
            "AISTUDIOS_BASE_URL": self.sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.crowd",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (self.directory / "videos").as_uri(),
            "RENDERLINE_DATA_DIR": str(self.directory),
            "RENDERLINE_POLL_MIN": "0.3",
            "RENDERLINE_LEASE": str(LEASE),
            "RENDERLINE_SWEEP_EVERY": str(SWEEP),
            **self.environ,
        }

    @property
    def server(self) -> Process:
        """Return the Valkey process."""
        assert self.valkey.process
        return self.valkey.process

    def start(self, *, queues: str = ",".join(contract.QUEUES), **environ: str) -> Process:
        """Start one more worker, as the Procfile does, and wait until it takes messages."""
        log = self.directory / f"worker-{len(self.workers)}.log"
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues]
        worker = Process([*command, "-n", f"{log.stem}@localhost"], log=log, environ={**self.environ, **environ})
        self.workers.append(worker)
        worker.wait_until(lambda: " ready." in worker.output(), what="worker ready")
        return worker

    def send(self, keys: Iterable[str], **fields: Any) -> list[str]:
        """Send one request for every key; returns the ids that the renders have or will have."""
        hooks = [{"type": "http", "url": self.receiver.url}]
        scenes = [{"script": "Hello.", "avatar": AVATAR}]
        request = {"kind": "project", "scenes": scenes, "hooks": hooks, **fields}
        ids = []
        for key in keys:
            self.producer.send_task(contract.REQUEST, kwargs={"request": request, "key": key}, queue="requests")
            ids.append(contract.render_id_for_key(key))
        return ids

    def states(self, ids: Iterable[str]) -> dict[str, str | None]:
        """Return the state of every render, None where there is no record."""
        known = list(ids)
        with self.redis.pipeline(transaction=False) as pipe:
            for one in known:
                pipe.hget(f"renderline:render:{one}", "state")
            return dict(zip(known, pipe.execute(), strict=True))

    def accepted(self, ids: Iterable[str]) -> set[str]:
        """Return the renders that stand in the ledger."""
        return {one for one, state in self.states(ids).items() if state}

    def wait_for(self, ids: Iterable[str], *, seconds: float) -> None:
        """Wait until every one of these renders has come to its end."""
        known = list(ids)

        def unfinished() -> dict[str, str | None]:
            with suppress(RedisError):
                return {one: state for one, state in self.states(known).items() if state not in FINAL}
            return {"": "Redis away"}

        try:
            until(lambda: not unfinished(), seconds=seconds)
        except AssertionError:
            records = [self.ledger.record(one) for one in list(unfinished())[:3]]
            raise AssertionError(f"{len(unfinished())} not finished, such as {records}") from None

    def check(self, ids: Iterable[str]) -> None:
        """Assert the promise for these renders, all of which were to succeed."""
        known = set(ids)
        states = self.states(known)
        assert {one: state for one, state in states.items() if state != "delivered"} == {}
        exports: dict[str, int] = defaultdict(int)
        for project in self.sandbox.projects():
            exports[project["name"].rpartition("[")[2].rstrip("]")] += project["exports"]
        assert {one: exports[one] for one in known if exports[one] != 1} == {}
        hooks: dict[str, set[str]] = defaultdict(set)
        for headers, raw in list(self.receiver.received.queue):
            hooks[next(one for one in (raw.decode().partition('"id":"')[2][:32],))].add(headers["webhook-id"])
        assert {one: hooks[one] for one in known if len(hooks[one]) != 1} == {}

    def alive(self) -> bool:
        """Return whether every worker that was started still runs, and is not about to end."""
        return all(one.popen.poll() is None and "Unrecoverable" not in one.output() for one in self.workers)

    def close(self) -> None:
        """End every process of this system."""
        for worker in self.workers:
            worker.kill()
        self.sandbox.stop()
        self.producer.close()
        self.redis.close()
        self.line.cut()


@contextmanager
def a_crowd(directory: Path, *options: str, workers: int = 2, **environ: str) -> Iterator[Crowd]:
    """Start a system with a Valkey (with these options), a sandbox and a receiver of its own."""
    with Valkey(directory, *options) as valkey, Receiver() as receiver:
        sandbox = SandboxProcess(directory / "sandbox.log", "--render-seconds", "1")
        crowd = Crowd(directory, valkey, sandbox, receiver, Line(valkey.port), environ)
        try:
            for _ in range(workers):
                crowd.start()
            yield crowd
        finally:
            crowd.close()
