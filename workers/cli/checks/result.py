"""The result of a check: ok, warn or fail, the reason, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CheckResult:
    """One line of the doctor's report. `advice` is empty if nothing needs to be done."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    detail: str
    advice: str = ""
