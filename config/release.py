"""The version of this program: that of `pyproject.toml`, beside which the application runs."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Final

from packaging.version import Version

FOLDER: Final = Path(__file__).resolve().parents[1]


@functools.cache
def release() -> str:
    """Return the version of this program, such as `0.2.0`."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def is_later(version: str) -> bool:
    """Return whether `version` is later than that of this program; raises ValueError for what is no version."""
    return Version(version) > Version(release())
