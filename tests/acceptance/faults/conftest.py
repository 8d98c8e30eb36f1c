"""An arena for the crash tests, where many share a Valkey, and scenarios, each with a Valkey of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.acceptance.faults.crashes import RENDER, Arena
from tests.parts import Receiver, SandboxProcess, Valkey

SCENARIOS_AT_ONCE = 4


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The parts that all crashes of a module share."""
    directory = tmp_path_factory.mktemp("arena")
    with Valkey(directory, "--databases", "256") as valkey, Receiver() as receiver:
        sandbox = SandboxProcess(directory / "sandbox.log", "--render-seconds", str(RENDER))
        yield Arena(directory, valkey, sandbox, receiver)
        sandbox.stop()


@pytest.fixture(scope="module")
def scenarios(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[Any]]]:
    """The module's scenarios that were asked for, several under way at once: most of their time is waiting."""
    wanted = [item.name for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(SCENARIOS_AT_ONCE) as pool:
        yield {
            name: pool.submit(run, tmp_path_factory.mktemp("scenario"))
            for name, run in request.module.SCENARIOS.items()
            if any(f"[{name}]" in one for one in wanted)
        }
        pool.shutdown(cancel_futures=True)
