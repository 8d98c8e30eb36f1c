"""A system under load: its own Redis, real worker processes, many renders, and a check of the promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis, RedisError

from harness import HOOK_SECRET, USER_KEY, HookEndpoint, Process, SandboxProcess, Valkey, until
from harness.fork_server import ForkedWorker, shared
from harness.forked_sandbox import ForkedSandbox
from harness.tcp_proxy import TcpProxy
from renderline import contract
from renderline.ledger import Ledger
from renderline.renders import FINAL

AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
LEASE, SWEEP = 3.0, 0.5


@dataclass
class LoadedSystem:
    """A system under load. Its workers reach Redis through a proxy if it is `proxied`."""

    directory: Path
    valkey: Valkey
    sandbox: SandboxProcess
    hook_endpoint: HookEndpoint
    proxy: TcpProxy
    environ: dict[str, str] = field(default_factory=dict)
    app: str = "workers.app"
    proxied: bool = False
    workers: list[ForkedWorker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.redis = Redis.from_url(self.valkey.url, decode_responses=True)
        self.ledger = Ledger(self.redis)
        self.producer = Celery("producer", broker=self.valkey.url)
        self.producer.conf.broker_transport_options = {"socket_timeout": 5}
        self.environ = {
            "REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0" if self.proxied else self.valkey.url,
            "AISTUDIOS_BASE_URL": self.sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.load",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (self.directory / "videos").as_uri(),
            "RENDERLINE_DATA_DIR": str(self.directory),
            "RENDERLINE_POLL_MIN": "0.3",
            "RENDERLINE_LEASE": str(LEASE),
            "RENDERLINE_SLOW_LEASE": str(LEASE),
            "RENDERLINE_SWEEP_EVERY": str(SWEEP),
            "RENDERLINE_EVIDENCE_WINDOW": str(2 * LEASE),
            **self.environ,
        }

    @property
    def server(self) -> Process:
        """Return the Valkey process."""
        assert self.valkey.process
        return self.valkey.process

    def start(self, *, queues: str = ",".join(contract.QUEUES), **environ: str) -> ForkedWorker:
        """Start one more worker and wait until it takes messages."""
        log = self.directory / f"worker-{len(self.workers)}.log"
        while_imported = {name: environ.pop(name) for name in ("REMAP_SIGTERM",) if name in environ}
        worker = shared(**while_imported).start(queues, log, app=self.app, environ={**self.environ, **environ})
        self.workers.append(worker)
        worker.wait_until(lambda: " ready." in worker.output(), what="worker ready")
        return worker

    def send(self, keys: Iterable[str], **fields: Any) -> list[str]:
        """Send one request for every key; returns the ids that the renders have or will have."""
        hooks = [{"type": "http", "url": self.hook_endpoint.url}]
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
        """Return the renders that are in the ledger."""
        return {one for one, state in self.states(ids).items() if state}

    def wait_for(self, ids: Iterable[str], *, seconds: float) -> None:
        """Wait until every one of these renders has come to its end."""
        known = list(ids)

        def unfinished() -> dict[str, str | None]:
            with suppress(RedisError):
                return {one: state for one, state in self.states(known).items() if state not in FINAL}
            return {"": "Redis is unreachable"}

        try:
            until(lambda: not unfinished(), seconds=seconds)
        except AssertionError:
            records = [self.ledger.record(one) for one in list(unfinished())[:3]]
            raise AssertionError(f"{len(unfinished())} not finished, such as {records}") from None

    def check(self, ids: Iterable[str]) -> None:
        """Assert that each render was delivered, paid for once, and its hook called under one id."""
        known = set(ids)
        states = self.states(known)
        assert {one: state for one, state in states.items() if state != "delivered"} == {}
        exports: dict[str, int] = defaultdict(int)
        for project in self.sandbox.projects():
            tag = project["name"].rpartition("[")[2].rstrip("]")
            exports[tag.partition(".")[0]] += project["exports"]
        assert {one: exports[one] for one in known if exports[one] != 1} == {}
        hooks: dict[str, set[str]] = defaultdict(set)
        for headers, raw in list(self.hook_endpoint.received.queue):
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
        self.proxy.cut()


@contextmanager
def loaded_system(
    directory: Path,
    *options: str,
    workers: int = 2,
    app: str = "workers.app",
    proxied: bool = False,
    **environ: str,
) -> Iterator[LoadedSystem]:
    """Start a system with a Valkey (with these options), a sandbox and a hook endpoint of its own."""
    with Valkey(directory, *options) as valkey, HookEndpoint() as hook_endpoint:
        sandbox = ForkedSandbox(directory / "sandbox.log", "--render-seconds", "1")
        system = LoadedSystem(directory, valkey, sandbox, hook_endpoint, TcpProxy(valkey.port), environ, app, proxied)
        try:
            for _ in range(workers):
                system.start()
            yield system
        finally:
            system.close()
