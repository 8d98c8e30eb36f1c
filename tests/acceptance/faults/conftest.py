"""The harness of the crash tests, which share a Valkey, and scenarios, each with its own Valkey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from harness import HookEndpoint, Valkey
from harness.forked_sandbox import ForkedSandbox
from tests.acceptance.faults.crashes import RENDER, CrashHarness

SCENARIOS_AT_ONCE = 4


@pytest.fixture(scope="module")
def crash_harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashHarness]:
    """The parts that all crashes of a module share."""
    directory = tmp_path_factory.mktemp("crash_harness")
    with Valkey(directory, "--databases", "256") as valkey, HookEndpoint() as hook_endpoint:
        # Drafts that nobody knows of are found by their names, and deleted.
        sandbox = ForkedSandbox(directory / "sandbox.log", "--render-seconds", str(RENDER), "--list", "all")
        yield CrashHarness(directory, valkey, sandbox, hook_endpoint)
        sandbox.stop()


class Ahead(dict[Any, Future[Any]]):
    """The results that a module's tests will ask for. Several are computed at once: most of their time is waiting.

    Under pytest-xdist a module must stay in one process (`--dist loadfile`), or each would begin all of it.
    """

    def __init__(self, pool: ThreadPoolExecutor, run: Callable[[Any], Any], request: pytest.FixtureRequest) -> None:
        super().__init__()
        for item in request.session.items:
            if item.path == request.path and "ahead" in item.fixturenames and hasattr(item, "callspec"):
                (key,) = item.callspec.params.values()
                self[key] = pool.submit(run, key)


@pytest.fixture(scope="module")
def ahead(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[Any], Any], int], Ahead]]:
    """Begin what the module's parametrised tests ask for: `run` with each parameter, so many at once."""
    pools: list[ThreadPoolExecutor] = []

    def begin(run: Callable[[Any], Any], at_once: int) -> Ahead:
        pools.append(ThreadPoolExecutor(at_once))
        return Ahead(pools[-1], run, request)

    yield begin
    for pool in pools:
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def scenarios(
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    ahead: Callable[[Callable[[Any], Any], int], Ahead],
) -> Ahead:
    """The module's scenarios that were asked for, each in a directory of its own."""
    # Here, not in the threads: pytest's factory may be used by one thread at a time.
    base = tmp_path_factory.mktemp("scenarios")

    def run(name: str) -> object:
        directory = base / name.replace(" ", "-")
        directory.mkdir()
        return request.module.SCENARIOS[name](directory)

    return ahead(run, SCENARIOS_AT_ONCE)
