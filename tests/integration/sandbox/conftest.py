"""Sandboxes for the tests of this folder."""

from collections.abc import Iterator

import pytest
from sandbox_client import PLAIN, Caller, SandboxClient, running


@pytest.fixture(scope="session")
def slow_emulator() -> Iterator[SandboxClient]:
    """One sandbox for this folder whose renders end only on command (or by a tag)."""
    with running("--render-seconds", "600", "--seed", "1", *PLAIN) as emulator:
        yield emulator


@pytest.fixture
def emulator(slow_emulator: SandboxClient) -> SandboxClient:
    """That sandbox, as if just started."""
    slow_emulator.control("POST", "reset")
    return slow_emulator


@pytest.fixture
def caller(emulator: SandboxClient) -> Caller:
    """An account of that sandbox."""
    return Caller(emulator)


@pytest.fixture(scope="session")
def quick_emulator() -> Iterator[SandboxClient]:
    """One sandbox for this folder whose renders take a fifth of a second."""
    with running("--render-seconds", "0.2", *PLAIN) as emulator:
        yield emulator


@pytest.fixture
def quick(quick_emulator: SandboxClient) -> Caller:
    """An account of the quick sandbox, as if just started."""
    quick_emulator.control("POST", "reset")
    return Caller(quick_emulator)
