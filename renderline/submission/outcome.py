"""The outcomes of a submission: one small type for each. Two are equal whatever they say about the details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from renderline.retry import RetryIn


@dataclass(frozen=True)
class Submitted:
    """The paid call was made, with or without an answer. `state` is the render's now."""

    state: str = field(default="rendering", compare=False)


@dataclass(frozen=True)
class Refused:
    """The render failed, with `error` (origin, code and message in one line). Its hooks run."""

    error: str = field(default="", compare=False)


@dataclass(frozen=True)
class NotMyTurn:
    """Nothing to do: the submission is over, another worker has the claim, or the render waits in the ledger.

    `why` says which; empty if that is not known.
    """

    why: str = field(default="", compare=False)


@dataclass(frozen=True)
class Parked:
    """The render waits in the ledger until its account may make calls again."""

    why: str


Outcome = Submitted | RetryIn | Parked | Refused | NotMyTurn


@dataclass(frozen=True)
class Announced:
    """The paid call is announced. `make_call` waits for the ledger's disk, then makes it; any thread may run it."""

    make_call: Callable[[], Outcome]
