"""What a run of a task says to operators: its outcome in one line, and the render that it was about.

The worker sends it with the run's events (workers/repairs/outcome_events.py). Nothing is stored: results stay ignored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from renderline.ledger import subject
from renderline.ledger.labels import LONGEST_LABEL, one_line, shown_labels

LONGEST_OUTCOME = 200


class Ending(NamedTuple):
    """How a run ended."""

    text: str
    failed: bool = False


@dataclass
class RunReport:
    """The report of one run. The run may end after its task has returned, in another thread."""

    outcome: str = ""
    failed: bool = False
    """Whether the work failed for good, though the task itself did what it had to."""
    about: dict[str, str] = field(default_factory=dict)
    """Name and labels of the render."""
    _began: float = field(default_factory=time.monotonic)
    _postponed: bool = False
    _send: Callable[[float], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, outcome: str, *, failed: bool = False, labels: tuple[str, ...] = ()) -> str:
        """Set the outcome, and what the run was about as far as it was noted; returns the outcome as it is shown."""
        self.outcome, self.failed = one_line(outcome, LONGEST_OUTCOME), failed
        if noted := subject.noted():
            self.about = shown_about(noted, labels)
        with self._lock:
            self._postponed, send, self._send = False, self._send, None
        if send:
            send(time.monotonic() - self._began)
        return self.outcome

    def postpone(self) -> None:
        """Let the run end with `end`, not with the return of the task."""
        self._postponed = True

    def waits(self, send: Callable[[float], None]) -> bool:
        """Return whether the run has not ended; then `send` is called with its seconds when it does."""
        with self._lock:
            if self._postponed:
                self._send = send
            return self._postponed


_report: ContextVar[RunReport | None] = ContextVar("run_report", default=None)


def begin() -> RunReport:
    """Return a new report, which is the current one of this thread."""
    subject.forget()
    report = RunReport()
    _report.set(report)
    return report


def current() -> RunReport:
    """Return the report of the run in this thread; one that nobody reads if no worker watches."""
    return _report.get() or begin()


def shown_about(noted: subject.Subject, labels: tuple[str, ...]) -> dict[str, str]:
    """Return the name and the metadata that `labels` name, as texts of one line."""
    name = {"name": one_line(noted.name, LONGEST_LABEL)} if noted.name else {}
    return {**shown_labels(noted.metadata, labels), **name}
