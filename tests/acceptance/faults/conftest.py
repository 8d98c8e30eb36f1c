"""An arena for the crash tests, where many share a Valkey, and crowds, each with a Valkey of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.faults.crashes import RENDER, Arena
from tests.acceptance.faults.crowd import Crowd, Line
from tests.parts import Receiver, SandboxProcess, Valkey


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The parts that all crashes of a module share."""
    directory = tmp_path_factory.mktemp("arena")
    with Valkey(directory, "--databases", "256") as valkey, Receiver() as receiver:
        sandbox = SandboxProcess(directory / "sandbox.log", "--render-seconds", str(RENDER))
        yield Arena(directory, valkey, sandbox, receiver)
        sandbox.stop()


@pytest.fixture
def crowds(tmp_path: Path) -> Iterator[Callable[..., Crowd]]:
    """Start systems, each with a Valkey, a sandbox and a receiver of its own, that end with the test."""
    opened: list[Any] = []
    crowds: list[Crowd] = []

    def start(*options: str, workers: int = 2, render: str = "1") -> Crowd:
        directory = tmp_path / str(len(crowds))
        directory.mkdir()
        valkey = Valkey(directory, *options)
        opened.append(valkey)
        valkey.start()
        receiver = Receiver()
        opened.append(receiver)
        receiver.__enter__()
        sandbox = SandboxProcess(directory / "sandbox.log", "--render-seconds", render)
        crowd = Crowd(directory, valkey, sandbox, receiver, Line(valkey.port))
        crowds.append(crowd)
        for _ in range(workers):
            crowd.start()
        return crowd

    yield start
    for crowd in crowds:
        crowd.close()
    for one in reversed(opened):
        one.__exit__(None, None, None)
