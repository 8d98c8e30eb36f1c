"""The life of a render: its states, the legal transitions between them, and what each end announces."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a render stands. The value is what records, filters and hooks show."""

    ACCEPTED = "accepted"
    """Recorded; nothing sent to the vendor yet. Waits as long as the vendor cannot be reached."""
    SUBMITTING = "submitting"
    """A worker is, or was, making the vendor calls that start it."""
    UNCONFIRMED = "unconfirmed"
    """The call that costs was made and nobody saw its outcome; evidence is looked for."""
    RENDERING = "rendering"
    """The vendor started it; polled until done or past its deadline."""
    COMPLETED = "completed"
    """The video is ready; its hooks run."""
    DELIVERED = "delivered"
    """End: the video is ready and every hook was delivered."""
    UNDELIVERED = "undelivered"
    """End: the video is ready, a hook was dead-lettered."""
    FAILED = "failed"
    """End: refused or failed at the vendor, or refused here."""
    EXPIRED = "expired"
    """End: not ready within its deadline."""
    CANCELED = "canceled"
    """End: given up by its owner."""


TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.ACCEPTED: frozenset({State.SUBMITTING, State.FAILED, State.CANCELED}),
    State.SUBMITTING: frozenset(
        {State.RENDERING, State.UNCONFIRMED, State.FAILED, State.CANCELED},
    ),
    # Back to submitting when its draft was deleted and seen to be gone (or an operator allowed it).
    State.UNCONFIRMED: frozenset({State.RENDERING, State.SUBMITTING, State.FAILED, State.EXPIRED, State.CANCELED}),
    State.RENDERING: frozenset({State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELED}),
    State.COMPLETED: frozenset({State.DELIVERED, State.UNDELIVERED, State.CANCELED}),
    State.DELIVERED: frozenset(),
    # A dead-lettered hook was replayed.
    State.UNDELIVERED: frozenset({State.COMPLETED}),
    # A retry is a new attempt in the same record.
    State.FAILED: frozenset({State.ACCEPTED}),
    State.EXPIRED: frozenset({State.ACCEPTED}),
    State.CANCELED: frozenset(),
}
"""Every legal edge; the ledger's scripts are given this table and refuse all others."""

FINAL: Final = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED, State.EXPIRED, State.CANCELED})
"""The ends. Only a person leads a render out of one: by a retry, or by replaying a hook."""

EVENTS: Final[dict[State, str]] = {
    State.COMPLETED: "render.completed",
    State.DELIVERED: "render.completed",
    State.UNDELIVERED: "render.completed",
    State.FAILED: "render.failed",
    State.EXPIRED: "render.expired",
    State.CANCELED: "render.canceled",
}
"""What a render in this state announces through its hooks."""
