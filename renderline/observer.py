"""What observers learn of each process: vendor calls, polls, hook attempts and transitions, as they happen.

The timeline of a render, the log and the metrics are observers. An observer learns of things afterwards and returns at
once; what it raises is logged and breaks nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)

OK = "ok"
"""The `result` of what succeeded."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One exchange with the vendor."""

    account: str
    endpoint: str
    """Method and path without its variable parts, such as `POST /editor/project/export`."""
    status: int | None
    """The HTTP status; None without an answer."""
    code: str
    """The vendor's code of a refusal, or the kind of fault; empty for a success."""
    seconds: float
    began: float
    """When it began (`time.monotonic`)."""
    render_id: str | None = None
    """The render for which it was made; None for a call for many, or for none."""
    attempt: int | None = None
    """The attempt of that render, from 1."""
    polling: bool = False
    """Whether it is part of a poll, which is observed as a whole too."""
    result: str = OK
    """`ok`, or the code and the message of the fault: one short line without secrets and texts of the request."""


@dataclass(frozen=True, kw_only=True)
class Poll:
    """One poll of one render, with the calls that it took."""

    account: str
    kind: str
    render_id: str
    attempt: int
    status: str
    """What it found, as `PollResult.status` names it: `wait`, `done`, `failed`, `error` ..."""
    state: str = "rendering"
    """The state of the render before: `rendering` or `unconfirmed`."""
    lag: float | None = None
    """If it found the render done: for how many seconds that was so, by the last rate of progress; None: not known."""
    seconds: float
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HookAttempt:
    """One call of a hook."""

    render_id: str
    attempt: int
    """The attempt of the render, from 1."""
    index: int
    """Its place among the hooks of the render, from 0."""
    type: str
    host: str
    """Host and port that it called; empty if it called none."""
    endpoint: str
    """Where it went, for people: without user, query and secrets; empty if it called nobody."""
    number: int
    """The number of this call of the hook, from 1."""
    status: int | None
    """The HTTP status of the answer, if there was one."""
    outcome: str
    """`delivered`, `retrying` or `dead`."""
    seconds: float
    began: float
    """When it began (`time.monotonic`)."""
    result: str = OK
    """`ok`, or why it failed: one short line."""
    lag: float | None = None
    """Seconds from when the hook became due, first at the end of the render, to this call."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A render that entered a state."""

    render_id: str
    state: str
    was: str | None
    """The state before; None for a render that was just accepted."""
    attempt: int
    kind: str
    account: str
    tenant: str
    seconds: float | None
    """Seconds that it was in the state before."""
    request_id: str | None = None
    """The id of the request with which it was accepted."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Its labels, as log lines show them."""


class Observer(Protocol):
    """Learns what happens in this process. Its methods are called in many threads, and may be called at any time."""

    def call(self, call: Call) -> None:
        """Observe a call to the vendor."""

    def poll(self, poll: Poll) -> None:
        """Observe a poll. Its calls were given to `call` before."""

    def hook(self, attempt: HookAttempt) -> None:
        """Observe a call of a hook."""

    def transition(self, transition: Transition) -> None:
        """Observe a transition that a step of this process made."""


@dataclass(frozen=True)
class Observers:
    """Several observers as one. What one of them raises is logged, and the others learn of it all the same."""

    each: tuple[Observer, ...] = ()

    def call(self, call: Call) -> None:
        """Tell every observer of a call to the vendor."""
        _note(call)
        self._tell("call", call)

    def poll(self, poll: Poll) -> None:
        """Tell every observer of a poll."""
        self._tell("poll", poll)

    def hook(self, attempt: HookAttempt) -> None:
        """Tell every observer of a call of a hook."""
        self._tell("hook", attempt)

    def transition(self, transition: Transition) -> None:
        """Tell every observer of a transition."""
        self._tell("transition", transition)

    def _tell(self, what: str, about: Any) -> None:
        for one in self.each:
            try:
                getattr(one, what)(about)
            except Exception as error:
                # The message of the error might quote what was observed.
                log.warning("observer failed", observer=type(one).__name__, of=what, error=type(error).__name__)


NOBODY = Observers()


@dataclass
class Purpose:
    """The render for which this thread makes calls."""

    render_id: str | None = None
    attempt: int | None = None
    polling: bool = False
    calls: list[Call] = field(default_factory=list)
    """The calls made so far."""


class _Current(threading.local):
    purpose: Purpose | None = None


_current = _Current()


def current_purpose() -> Purpose:
    """Return for which render this thread makes calls; one without a render if it makes them for none."""
    return _current.purpose or Purpose()


@contextmanager
def calls_for(render_id: str, attempt: int, *, polling: bool = False) -> Iterator[Purpose]:
    """Inside it, the calls of this thread are made for this attempt of a render; yields what collects them."""
    before, _current.purpose = _current.purpose, Purpose(render_id, attempt, polling)
    try:
        yield _current.purpose
    finally:
        _current.purpose = before


def _note(call: Call) -> None:
    if _current.purpose is not None and call.render_id == _current.purpose.render_id:
        _current.purpose.calls.append(call)
