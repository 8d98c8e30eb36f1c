"""The declaration of a repair: what it replaces in the libraries, what it needs there, and what is lost without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KOMBU: Mapping[str, str] = {"kombu": ">=5.7,<5.8"}
CELERY: Mapping[str, str] = {"celery": ">=5.7,<5.8"}


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One change to the behaviour of kombu or Celery."""

    name: str

    needs: Mapping[str, str]
    """The versions that it was tested with: distribution, version specifier."""

    touches: tuple[str, ...]
    """The private or undocumented names that it uses, as `module:Class.name`."""

    answers: tuple[str, ...] = ()
    """The upstream issues that it answers; empty where none was found."""

    promise: str = ""
    """The promise that Renderline cannot keep without this repair; empty for a repair that only saves time."""

    channel: type[Any] | None = None
    """A subclass of kombu's Redis channel."""

    qos: type[Any] | None = None
    """A subclass of the channel's QoS, which notes and acks messages."""

    request: type[Any] | None = None
    """A subclass of Celery's worker request."""

    step: type[Any] | None = None
    """A step of Celery's consumer."""

    result_backend: str = ""
    """The class of Celery's result backend for redis:// and rediss://, as `module:Class`."""

    control: str = ""
    """The class of Celery's remote control, as `module:Class`."""
