"""One running system for the acceptance tests of a module: Valkey, the sandbox, two workers, a hook endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from harness import HOOK_SECRET, USER_KEY, HookEndpoint, SandboxProcess, Valkey
from harness.fork_server import ForkedWorker, forked_worker
from harness.forked_sandbox import ForkedSandbox
from renderline import contract
from renderline.ledger import Ledger

V2_KEY = "v2-secret-key-of-the-tests"
AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}


@dataclass
class System:
    """The parts of a running Renderline, and how another service would speak to it."""

    valkey: Valkey
    sandbox: SandboxProcess
    hook_endpoint: HookEndpoint
    directory: Path
    environ: dict[str, str]
    app: Celery
    workers: list[ForkedWorker] = field(default_factory=list)

    def start_worker(self, queues: str = ",".join(contract.QUEUES), **environ: str) -> ForkedWorker:
        """Start one more worker and wait until it takes messages."""
        log = self.directory / f"worker-{len(self.workers)}.log"
        worker = forked_worker(log, queues=queues, environ={**self.environ, **environ})
        self.workers.append(worker)
        worker.wait_ready()
        return worker

    def send(self, request: dict[str, Any], *, key: str | None = None) -> Any:
        """Send a request as a foreign Celery producer does; returns the pending result."""
        return self.app.send_task(contract.REQUEST, kwargs={"request": request, "key": key}, queue="requests")

    def enqueue(self, request: dict[str, Any], *, key: str | None = None) -> str:
        """Send a request and return the render id that the worker answers."""
        return str(self.send(request, key=key).get(timeout=60))

    def request(self, script: str = "Hello.", **fields: Any) -> dict[str, Any]:
        """Return a compact request that downloads the video and calls the hook endpoint."""
        hooks = [{"type": "download"}, {"type": "http", "url": self.hook_endpoint.url}]
        return {"kind": "project", "scenes": [{"script": script, "avatar": AVATAR}], "hooks": hooks, **fields}

    def record(self, render_id: str) -> dict[str, Any]:
        """Return the record of a render."""
        with Redis.from_url(self.valkey.url, decode_responses=True) as client:
            record = Ledger(client).record(render_id)
        assert record is not None
        return record

    def projects_of(self, render_id: str) -> list[dict[str, Any]]:
        """Return the vendor's projects that carry a render's id in their name."""
        return [project for project in self.sandbox.projects() if render_id in project["name"]]


@pytest.fixture(scope="module")
def start_system(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., System]]:
    """Start systems, each ending the one before; `environ` is added to the workers' settings."""
    started: list[System] = []

    def end_all() -> None:
        # They share the Valkey: workers that went on would take the next system's messages.
        for system in started:
            for worker in system.workers:
                worker.kill()
            system.sandbox.stop()
            system.hook_endpoint.__exit__()
            system.app.close()
        started.clear()

    def start(*sandbox_options: str, workers: int = 2, **environ: str) -> System:
        end_all()
        directory = tmp_path_factory.mktemp("system")
        with Redis.from_url(valkey.url) as client:
            client.flushall()
        sandbox = ForkedSandbox(directory / "sandbox.log", *sandbox_options)
        hook_endpoint = HookEndpoint()
        hook_endpoint.__enter__()
        settings = {
            "REDIS_URL": valkey.url,
            "AISTUDIOS_BASE_URL": sandbox.url,
            "AISTUDIOS_V2_BASE_URL": sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.tests",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "AISTUDIOS_V2_SECRET_KEY": V2_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_STORAGE_URL": (directory / "videos").as_uri(),
            "RENDERLINE_DATA_DIR": str(directory),
            "RENDERLINE_POLL_MIN": "0.3",
            "RENDERLINE_LEASE": "6",
            "RENDERLINE_SLOW_LEASE": "6",
            "RENDERLINE_SWEEP_EVERY": "1",
            "RENDERLINE_EVIDENCE_WINDOW": "6",
            **environ,
        }
        app = Celery("billing", broker=valkey.url, backend=valkey.url)
        system = System(valkey, sandbox, hook_endpoint, directory, settings, app)
        started.append(system)
        for _ in range(workers):
            system.start_worker()
        return system

    yield start
    end_all()
