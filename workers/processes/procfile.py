"""The Procfile: the command of each kind of process, and the settings that a kind needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from config.settings import Role

ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder in which its commands run."""

PATH: Final = ROOT / "Procfile"

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$", re.MULTILINE)

ROLES: Final[dict[str, Role]] = {"worker": "worker", "gateway": "gateway", "flower": "flower", "redis": "redis"}
"""Whose settings a kind of process reads; the sandbox has options only."""


def commands() -> dict[str, str]:
    """Return the shell command of each kind of process, in the file's order; raises OSError without the file."""
    return dict(_LINE.findall(PATH.read_text(encoding="utf-8")))


def names(kind: str, count: int) -> list[str]:
    """Return what the processes of a kind are called: worker.1, worker.2 and so on."""
    return [f"{kind}.{number}" for number in range(1, count + 1)]
