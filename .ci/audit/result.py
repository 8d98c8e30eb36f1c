"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Result:
    """One line: `ok`, `skipped` (with the reason), or `FAIL` (with what to do)."""

    verdict: Literal["ok", "skipped", "FAIL"]
    text: str
