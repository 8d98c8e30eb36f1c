"""The door without hooks, and the example bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness import ROOT
from renderline.requests import RenderRequest, RequestRefused, load_request

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def load() -> Callable[[Any], RenderRequest]:
    """Load a request through the door of a deployment with one account and no hooks."""
    return lambda data: load_request(data, accounts=["default"], hook_kinds={}, max_bytes=1_000_000)


@pytest.fixture(scope="session")
def errors(load: Callable[[Any], RenderRequest]) -> Callable[[Any], dict[str, list[str]]]:
    """Return what the door says is wrong with a request; nothing if it is taken."""

    def errors_of(data: Any) -> dict[str, list[str]]:
        try:
            load(data)
        except RequestRefused as refused:
            return refused.errors
        return {}

    return errors_of


@pytest.fixture
def example() -> Callable[[str], Any]:
    """Read an example afresh."""
    return lambda name: json.loads((EXAMPLES / name).read_text())
