"""Real parts for every test: an embedded Valkey, the sandbox over HTTP, and workers as processes."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from redis import Redis

from harness import HookEndpoint, SandboxProcess, Valkey
from harness.fork_server import ForkedWorker, forked_worker
from harness.forked_sandbox import ForkedSandbox
from tests.longest_first import place

# Collecting makes millions of objects that stay: to look through them again and again costs each process seconds.
gc.disable()

# `--hypothesis-profile long` looks much longer, each time elsewhere; FUZZ_EXAMPLES says how long.
settings.register_profile("short", deadline=None, max_examples=50, derandomize=True, database=None)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200000")),
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("short")

for interrupt in (signal.SIGINT, signal.SIGQUIT):
    # A run in the background ignores both and would hand that on to the processes that tests interrupt.
    if signal.getsignal(interrupt) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(interrupt, signal.default_int_handler if interrupt == signal.SIGINT else signal.SIG_DFL)

SCRUBBED = ("REDIS_", "AISTUDIOS_", "RENDERLINE_", "FLOWER_", "CELERY_")
for name in [name for name in os.environ if name.startswith(SCRUBBED)]:
    # A developer's shell must not change what a test shows, nor the file .env of the checkout.
    del os.environ[name]
os.environ["RENDERLINE_ENV_FILE"] = ""


TESTS = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules that take longest first; `--dist loadfile` hands them out in this order."""
    items.sort(key=lambda item: place(PurePosixPath(item.path.relative_to(TESTS))))


def pytest_collection_finish() -> None:
    """Have the garbage collector look at what the tests make, not at the tests themselves."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One Valkey with an append-only file for the whole run."""
    with Valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[Redis]:
    """An emptied Valkey's client."""
    with Redis.from_url(valkey.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., SandboxProcess]]:
    """Start sandboxes that end with the test."""
    started: list[SandboxProcess] = []

    def start(*options: str) -> SandboxProcess:
        started.append(ForkedSandbox(tmp_path / f"sandbox-{len(started)}.log", *options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., ForkedWorker]]:
    """Start workers that end with the test; the keyword arguments are their environment."""
    started: list[ForkedWorker] = []

    def start(*, queues: str = "requests,submit,poll,hooks", wait: bool = True, **environ: Any) -> ForkedWorker:
        environ.setdefault("RENDERLINE_STORAGE_URL", (tmp_path / "videos").as_uri())
        worker = forked_worker(tmp_path / f"worker-{len(started)}.log", queues=queues, environ=environ)
        started.append(worker)
        if wait:
            worker.wait_ready()
        return worker

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def hook_endpoint() -> Iterator[HookEndpoint]:
    """An HTTP server that keeps what it is sent."""
    with HookEndpoint() as server:
        yield server
