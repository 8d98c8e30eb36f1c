"""A ledger whose time the test drives, and a worker's use cases against the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness import ROOT, SandboxProcess, Valkey, example
from harness.ledger import Book
from harness.local_worker import Stage
from renderline.ledger import DuePoll


@pytest.fixture
def new_book(redis: Redis) -> Callable[[], Book]:
    """Start over with an empty ledger."""

    def new() -> Book:
        redis.flushall()
        return Book(redis)

    return new


@pytest.fixture
def book(redis: Redis) -> Book:
    return Book(redis)


@pytest.fixture
def rendering(book: Book) -> DuePoll:
    """A render that is due for its first look, and the look."""
    book.accept()
    kick = book.started()
    assert kick is not None
    (look,) = book.look(kick)
    return look


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for the tests of a module; `stage` resets it."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox") / "sandbox.log", "--render-seconds", "0.3")
    yield process
    process.stop()


@pytest.fixture
def new_stage(redis: Redis, shared_sandbox: SandboxProcess) -> Iterator[Callable[..., Stage]]:
    """Set the core up against the module's sandbox, which remembers nothing of the test before."""
    shared_sandbox.control("DELETE", "faults")
    shared_sandbox.control("POST", "reset")
    shared_sandbox.control("POST", "outage", on=False)
    made: list[Stage] = []

    def new(**options: Any) -> Stage:
        made.append(Stage(redis, shared_sandbox, **options))
        return made[-1]

    yield new
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def stage_class() -> type[Stage]:
    """For fixtures of a wider scope than a test."""
    return Stage


@pytest.fixture
def stage(new_stage: Callable[..., Stage]) -> Stage:
    return new_stage()


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
