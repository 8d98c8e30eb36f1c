"""Decides which messages follow from a change in the ledger, and has them published.

    request -> submit -> poll (retrying, batched) -> hook 0, hook 1, ... (each retrying)

A message carries ids only. The ledger records a change before its messages are published, so a lost message costs time,
not a render: the sweep publishes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog
from redis import RedisError

from renderline.ledger import AccountLimits, Ledger, PumpWake
from renderline.renders import State

log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """Publishes messages. Raises `OSError` or `redis.RedisError` if the broker cannot be reached."""

    def submit(self, renders: Sequence[tuple[str, str]]) -> None:
        """Publish a submission for each render (id, priority)."""

    def poll(self, wake: PumpWake) -> None:
        """Publish a run of a poll pump, due after the wake's delay."""

    def hooks(self, hooks: Sequence[tuple[str, int]]) -> None:
        """Publish hooks (render id, index)."""

    def oldest(self) -> Mapping[str, str]:
        """Return by lane what the oldest message of its queue is about; lanes with an empty queue are left out."""


def leave_to_sweep(error: Exception) -> None:
    """Log that messages were not published. The sweep publishes them later."""
    log.warning("not published, left to the sweep", why=f"{type(error).__name__}: {error}")


def raise_unpublished(error: Exception) -> None:
    """Raise the error. For the sweep, which cannot leave its messages to itself."""
    raise error


class Dispatcher:
    """Publishes what follows from a change that the ledger has recorded.

    `on_unpublished` is called with the error where the broker, or the ledger, cannot be reached.
    """

    def __init__(
        self,
        publisher: Publisher,
        ledger: Ledger,
        limits: AccountLimits | None = None,
        *,
        on_unpublished: Callable[[Exception], None] = leave_to_sweep,
    ) -> None:
        self._publisher, self._ledger, self._limits = publisher, ledger, limits or AccountLimits(ledger)
        self.on_unpublished = on_unpublished

    def submit(self, render_id: str, priority: str) -> None:
        """Have a render submitted."""
        self.submit_all([(render_id, priority)])

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        """Have renders (id, priority) submitted."""
        if renders:
            self._publish(lambda: self._publisher.submit(renders))

    def poll(self, wake: PumpWake | None) -> None:
        """Have a poll pump run, if there is one to wake."""
        if wake:
            self._publish(lambda: self._publisher.poll(wake))

    def hooks(self, render_id: str) -> None:
        """Have the hooks run that a finished render still owes."""
        self.hooks_all([render_id])

    def hooks_all(self, ids: Sequence[str]) -> None:
        """Have the hooks run that finished renders still owe; those whose turn has not come wait in the ledger."""
        if ids:
            self._publish(lambda: self._publisher.hooks(self._ledger.queue_hooks(ids)))

    def hook_messages(self, hooks: Sequence[tuple[str, int]]) -> None:
        """Have hooks (render id, index) run whose turn has come."""
        if hooks:
            self._publish(lambda: self._publisher.hooks(hooks))

    def on_transition(self, changes: Sequence[tuple[str, str]]) -> None:
        """React to renders (id, new state) that changed their state: submit them again, or run their hooks."""
        ended = []
        for render_id, state in changes:
            log.info("state changed", render_id=render_id, state=state)
            if state == State.SUBMITTING:
                self._submit_again(render_id)
            elif state != State.RENDERING:
                ended.append(render_id)
        self.hooks_all(ended)
        self.unpark()

    def unpark(self) -> None:
        """Have parked renders submitted whose account may go on."""
        self._publish(lambda: self._publisher.submit(self._limits.unpark()))

    def oldest(self) -> Mapping[str, str]:
        """Return what `Publisher.oldest` returns; raises as it does."""
        return self._publisher.oldest()

    def _submit_again(self, render_id: str) -> None:
        self._publish(lambda: self._publisher.submit([(render_id, self._ledger.priority_of(render_id))]))

    def _publish(self, publish: Callable[[], None]) -> None:
        try:
            publish()
        except (OSError, RedisError) as error:
            self.on_unpublished(error)
