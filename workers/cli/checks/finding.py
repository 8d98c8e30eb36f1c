"""What a check found: a verdict, the fact behind it, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class PollResult:
    """One line of the doctor's report; `advice` is empty where nothing needs to be done."""

    check: str
    verdict: Verdict
    detail: str
    advice: str = ""
