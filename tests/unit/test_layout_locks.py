"""What is locked installs on the oldest Python that the project promises, whichever one made the lock."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest
from packaging.specifiers import SpecifierSet

from harness import ROOT

LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))
OLDEST = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_installs_on_the_oldest_python(lock: str) -> None:
    names = re.findall(r"^([a-z0-9._-]+)==", (ROOT / lock).read_text(), flags=re.MULTILINE)
    assert names
    assert [name for name in names if not _admits(name, f"{OLDEST}.0")] == []


def _admits(name: str, version: str) -> bool:
    try:
        needs = metadata(name)["Requires-Python"]
    except PackageNotFoundError:
        # Locked for another platform.
        return True
    return version in SpecifierSet(needs or "")
