"""The pytest fixture `renderline`: `pytest_plugins = ["renderline.testing.fixtures"]` in conftest.py."""

from __future__ import annotations

import pytest

from renderline.testing.system import FakeRenderline


@pytest.fixture
def renderline() -> FakeRenderline:
    """A Renderline in this process, in which a render of ten minutes takes milliseconds."""
    return FakeRenderline()
