"""The log of transitions: one line for each, and a warning for each render that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import structlog
from redis import RedisError

from renderline.ledger.labels import log_labels
from renderline.ledger.store import Ledger
from renderline.observer import Call, HookAttempt, Poll, Transition

log = structlog.get_logger(__name__)


class TransitionLog:
    """An observer that logs transitions, each with the ids to search for. Calls and hooks log what concerns them."""

    def call(self, call: Call) -> None:
        """Do nothing."""

    def poll(self, poll: Poll) -> None:
        """Do nothing."""

    def hook(self, attempt: HookAttempt) -> None:
        """Do nothing."""

    def transition(self, transition: Transition) -> None:
        """Log a transition."""
        log.info(
            "transition",
            render_id=transition.render_id,
            state=str(transition.state),
            was=transition.was,
            attempt=transition.attempt,
            account=transition.account,
            **log_labels(transition.tenant, transition.request_id, transition.labels),
            seconds=transition.seconds,
        )


def log_failed(ledger: Ledger, ids: Sequence[str]) -> None:
    """Log a warning about each render that failed or expired: why, and which one, for people."""
    records: Sequence[dict[str, Any] | None] = ()
    labels: Sequence[dict[str, str]] = ()
    # It is recorded; the log may miss it.
    with contextlib.suppress(RedisError):
        records, labels = (ledger.records(ids), ledger.labels_of(ids)) if ids else ((), ())
    for record, about in zip(records, labels, strict=False):
        if record and record["error"]:
            log.warning(
                "render failed",
                render_id=record["id"],
                **log_labels(record["tenant"], record.get("request_id"), about),
                name=record["name"],
                account=record["account"],
                state=record["state"],
                code=record["error"]["code"],
                reason=record["error"]["message"],
                origin=record["error"]["origin"],
            )
