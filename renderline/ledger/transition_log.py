"""The log of transitions: one line for each."""

from __future__ import annotations

import structlog

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
