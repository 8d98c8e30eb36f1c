"""What becomes of a render in a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What the vendor does with a render. Times are seconds, which pass only when a test waits for them."""

    seconds: float = 600.0
    """From the start at the vendor to the finished video."""

    steps: int = 10
    """How many times progress is reported on the way."""

    notice: float = 0.0
    """From the finished video until Renderline learns of it: about 0 with webhooks, up to a minute with polls."""

    rate_limited: float = 0.0
    """For how long the vendor answers 429 before it takes the render."""

    fails: tuple[str, str] | None = None
    """The vendor's code and message with which the render fails, at the time at which it would be finished."""

    refused: Mapping[str, str] | None = None
    """What is wrong with the request, by the path of the field: then it is not accepted, and makes no render."""

    deadline: float = 3600.0
    """From the submission until a render that is not finished expires, unless the request has its own."""

    credit: float = 10.0
    """What the vendor charges."""

    def __post_init__(self) -> None:
        if self.seconds < 0 or self.steps < 1 or self.rate_limited < 0 or self.notice < 0:
            raise ValueError("seconds, notice and rate_limited must be at least 0, steps at least 1")
