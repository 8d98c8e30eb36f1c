"""The log of transitions: one line for each, and a warning for each render that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import structlog
from redis import RedisError

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
            tenant=transition.tenant,
            **({"request_id": transition.request_id} if transition.request_id else {}),
            seconds=transition.seconds,
        )


def log_failed(ledger: Ledger, ids: Sequence[str]) -> None:
    """Log a warning about each render that failed or expired: why, and which one, for people."""
    records: Sequence[dict[str, Any] | None] = ()
    # It is recorded; the log may miss it.
    with contextlib.suppress(RedisError):
        records = ledger.records(ids) if ids else ()
    for record in records:
        if record and record["error"]:
            about = {"render_id": record["id"], "tenant": record["tenant"], "request_id": record.get("request_id")}
            log.warning(
                "render failed",
                **{name: value for name, value in about.items() if value},
                name=record["name"],
                account=record["account"],
                state=record["state"],
                code=record["error"]["code"],
                reason=record["error"]["message"],
                origin=record["error"]["origin"],
            )
