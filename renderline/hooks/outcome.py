"""The outcomes of one run of a hook's message. Two are equal whatever they say about the details."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from renderline.retry import RetryIn


@dataclass(frozen=True)
class Done:
    """The hook needs no more runs. `why` says why it was dead-lettered."""

    how: Literal["delivered", "skipped", "dead-lettered", "over"] = field(default="over", compare=False)
    """What this run did; `over`: nothing, the hook had ended before."""
    why: str = field(default="", compare=False)


@dataclass(frozen=True)
class NotMyTurn:
    """Another message runs the hook, it has to wait, or this worker has no free thread. This message ends here."""

    why: str = field(default="", compare=False)


Outcome = Done | RetryIn | NotMyTurn
