"""The render that the current run of a task is about: its name and metadata, for what shows runs to operators.

Use cases note it when they learn it, with what they read anyway; no extra round trip to Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Subject:
    """A render, as its producer knows it."""

    name: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


_subject: ContextVar[Subject | None] = ContextVar("subject", default=None)


def note(name: str | None, metadata: Mapping[str, Any] | None) -> None:
    """Note what the current run is about, for this thread and those that it starts with its context."""
    _subject.set(Subject(name or "", metadata or {}))


def noted() -> Subject | None:
    """Return what the current run is about; None if nothing was noted."""
    return _subject.get()


def forget() -> None:
    """Forget it: another run begins in this thread."""
    _subject.set(None)
