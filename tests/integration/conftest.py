"""A ledger whose time the test drives, and a worker's use cases against the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness import ROOT, SandboxProcess, Valkey, example
from harness.fake_vendor import FakeVendor
from harness.forked_sandbox import ForkedSandbox
from harness.ledger import LedgerDriver
from harness.local_worker import LocalWorker, local_workers
from renderline.ledger import DuePoll


@pytest.fixture
def new_driver(redis: Redis) -> Callable[[], LedgerDriver]:
    """Start over with an empty ledger."""

    def new() -> LedgerDriver:
        redis.flushall()
        return LedgerDriver(redis)

    return new


@pytest.fixture
def driver(redis: Redis) -> LedgerDriver:
    return LedgerDriver(redis)


@pytest.fixture
def rendering(driver: LedgerDriver) -> DuePoll:
    """A render that is due for its first poll, and the claim."""
    driver.accept()
    wake = driver.start()
    assert wake is not None
    (due_poll,) = driver.claim_due_polls(wake)
    return due_poll


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for the tests of a module, whose project list shows drafts; `local_worker` resets it."""
    log = tmp_path_factory.mktemp("sandbox") / "sandbox.log"
    process = ForkedSandbox(log, "--render-seconds", "0.3", "--list", "all")
    yield process
    process.stop()


@pytest.fixture
def new_local_worker(redis: Redis, shared_sandbox: SandboxProcess) -> Iterator[Callable[..., LocalWorker]]:
    """Set the core up against the module's sandbox, which remembers nothing of the test before."""
    shared_sandbox.control("DELETE", "faults")
    shared_sandbox.control("POST", "reset")
    shared_sandbox.control("POST", "outage", on=False)
    with local_workers(redis, shared_sandbox) as new:
        yield new


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> Iterator[FakeVendor]:
    """A fake vendor. A module sets RENDER_SECONDS if its renders should take another time than half a second."""
    with FakeVendor(render_seconds=getattr(request.module, "RENDER_SECONDS", 0.5)) as vendor:
        yield vendor


@pytest.fixture
def local_worker(new_local_worker: Callable[..., LocalWorker]) -> LocalWorker:
    return new_local_worker()


@pytest.fixture(scope="session")
def examples() -> Callable[[str], dict[str, Any]]:
    """Read one of the example payloads."""
    return example


@pytest.fixture
def module_path() -> Path:
    return ROOT


@pytest.fixture
def valkey_url(valkey: Valkey) -> str:
    return valkey.url
