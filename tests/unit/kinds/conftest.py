"""Requests without hooks, and the example bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness import ROOT
from harness.requests import load as load_one
from renderline.requests import RenderRequest, RequestRefused

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def load() -> Callable[[Any], RenderRequest]:
    """Load a request as a deployment with one account and no hooks does."""
    return load_one


@pytest.fixture(scope="session")
def errors(load: Callable[[Any], RenderRequest]) -> Callable[[Any], dict[str, list[str]]]:
    """Return the errors of a request by path, none if it is valid."""

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
