"""The outcomes of a submission: one small type for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from renderline.retry import RetryIn


@dataclass(frozen=True)
class Submitted:
    """The paid call was made, with or without an answer."""


@dataclass(frozen=True)
class Refused:
    """The render failed. Its hooks run."""


@dataclass(frozen=True)
class NotMyTurn:
    """Nothing to do: the submission is over, or another worker has the claim."""


@dataclass(frozen=True)
class Parked:
    """The render waits in the ledger until its account may make calls again."""

    why: str


Outcome = Submitted | RetryIn | Parked | Refused | NotMyTurn


@dataclass(frozen=True)
class Announced:
    """The paid call is announced. `make_call` waits for the ledger's disk, then makes it; any thread may run it."""

    make_call: Callable[[], Outcome]
