"""The states of a render, the legal transitions between them, and the event that each end state sends to hooks."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The state of a render. Records, filters and hooks show the value."""

    ACCEPTED = "accepted"
    """Recorded; nothing sent to the vendor yet. Waits while the vendor cannot be reached."""
    SUBMITTING = "submitting"
    """A worker is, or was, making the vendor calls that start it."""
    UNCONFIRMED = "unconfirmed"
    """The paid call was made, and its outcome is unknown. Polls look for evidence."""
    RENDERING = "rendering"
    """The vendor started it. It is polled until it is done or its deadline passes."""
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
    """End: canceled by its owner."""


TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.ACCEPTED: frozenset({State.SUBMITTING, State.FAILED, State.CANCELED}),
    State.SUBMITTING: frozenset(
        # Completed: its plan ends without a render, or the answer of its last call holds the file.
        {State.RENDERING, State.UNCONFIRMED, State.COMPLETED, State.FAILED, State.CANCELED},
    ),
    # Back to submitting: its draft is confirmed as deleted, or an operator allowed it.
    State.UNCONFIRMED: frozenset({State.RENDERING, State.SUBMITTING, State.FAILED, State.EXPIRED, State.CANCELED}),
    # Back to submitting: a stage of its plan is finished, and the next one comes.
    State.RENDERING: frozenset({State.COMPLETED, State.SUBMITTING, State.FAILED, State.EXPIRED, State.CANCELED}),
    State.COMPLETED: frozenset({State.DELIVERED, State.UNDELIVERED, State.CANCELED}),
    State.DELIVERED: frozenset(),
    # A dead-lettered hook was replayed.
    State.UNDELIVERED: frozenset({State.COMPLETED}),
    # A retry is a new attempt in the same record.
    State.FAILED: frozenset({State.ACCEPTED}),
    State.EXPIRED: frozenset({State.ACCEPTED}),
    State.CANCELED: frozenset(),
}
"""Every legal transition. The ledger's scripts receive this table and refuse all others."""

FINAL: Final = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED, State.EXPIRED, State.CANCELED})
"""The end states. Only an operator moves a render out of one, by a retry or by replaying a hook."""

EVENTS: Final[dict[State, str]] = {
    State.COMPLETED: "render.completed",
    State.DELIVERED: "render.completed",
    State.UNDELIVERED: "render.completed",
    State.FAILED: "render.failed",
    State.EXPIRED: "render.expired",
    State.CANCELED: "render.canceled",
}
"""The event that the hooks of a render in this state receive."""

BEGIN: Final = "begin"
"""The stage of a new draft alone. Workers of versions without drafts do not know it, so they do not export it."""


def webhook_id(render_id: str, attempt: int, index: int) -> str:
    """Return the id of a hook's event: the same on every retry and every replay."""
    return f"msg_{render_id}_{attempt}_{index}"
