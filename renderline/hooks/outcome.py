"""The outcomes of one run of a hook's message."""

from __future__ import annotations

from dataclasses import dataclass

from renderline.retry import RetryIn


@dataclass(frozen=True)
class Done:
    """The hook needs no more runs: it is delivered, skipped or dead-lettered."""


@dataclass(frozen=True)
class NotMyTurn:
    """Another message runs the hook, it has to wait, or this worker has no free thread. This message ends here."""


Outcome = Done | RetryIn | NotMyTurn
