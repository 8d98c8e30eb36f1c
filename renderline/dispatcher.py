"""Decides which messages follow a change in the ledger, and publishes them.

    request -> submit -> poll (retrying, batched) -> hook 0, hook 1, ... (each retrying)

A message contains only ids. The ledger records a change before its messages are published, so a lost message costs
time, not a render: the sweep publishes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog
from redis import RedisError

from renderline.ledger import AccountLimits, Ledger, Outage, PumpWake
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
        """Return, by lane, the render or hook of the oldest message in its queue; lanes with an empty queue are left
        out.
        """


_BROKER = Outage("the broker: messages are left to the sweep")
_PART = "publishing"


def leave_to_sweep(error: Exception) -> None:
    """Log that messages are not published, once in an outage. The sweep publishes them later."""
    _BROKER.failed(_PART, f"{type(error).__name__}: {error}")


def raise_unpublished(error: Exception) -> None:
    """Raise the error. For the sweep: no later sweep would repeat its messages."""
    raise error


class Dispatcher:
    """Publishes what follows from a recorded change. `on_unpublished` gets the error if broker or ledger is down."""

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
        """Publish a render's submission."""
        self.submit_all([(render_id, priority)])

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        """Publish the submissions of renders (id, priority)."""
        if renders:
            self._publish(lambda: self._publisher.submit(renders))

    def poll(self, wake: PumpWake | None) -> None:
        """Publish a run of a poll pump, if there is one to wake."""
        if wake:
            self._publish(lambda: self._publisher.poll(wake))

    def hooks(self, render_id: str) -> None:
        """Publish the hooks that a finished render still owes."""
        self.hooks_all([render_id])

    def hooks_all(self, ids: Sequence[str]) -> None:
        """Publish the hooks that finished renders still owe; hooks whose turn has not come wait in the ledger."""
        if ids:
            self._publish(lambda: self._publisher.hooks(self._ledger.queue_hooks(ids)))

    def hook_messages(self, hooks: Sequence[tuple[str, int]]) -> None:
        """Publish hooks (render id, index) whose turn has come."""
        if hooks:
            self._publish(lambda: self._publisher.hooks(hooks))

    def on_transition(self, changes: Sequence[tuple[str, str]]) -> None:
        """React to the new states of renders (id, state): submit them again, or publish their hooks."""
        ended = []
        for render_id, state in changes:
            if state == State.SUBMITTING:
                self._submit_again(render_id)
            elif state != State.RENDERING:
                ended.append(render_id)
        self.hooks_all(ended)
        self.unpark()

    def unpark(self) -> None:
        """Publish the submissions of parked renders whose account may go on."""
        self._publish(lambda: self._publisher.submit(self._limits.unpark()))

    def oldest(self) -> Mapping[str, str]:
        """Return the result of `Publisher.oldest`; raises the same errors."""
        return self._publisher.oldest()

    def _submit_again(self, render_id: str) -> None:
        self._publish(lambda: self._publisher.submit([(render_id, self._ledger.priority_of(render_id))]))

    def _publish(self, publish: Callable[[], None]) -> None:
        try:
            publish()
        except (OSError, RedisError) as error:
            self.on_unpublished(error)
        else:
            _BROKER.worked(_PART)


class GatheredMessages(Dispatcher):
    """Keeps what operators' operations would publish, and publishes it at once: for an operation on many renders."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._submissions: list[tuple[str, str]] = []
        self._hooks: list[str] = []
        self._wakes: list[PumpWake] = []
        self._unpark = False

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        """Keep the submissions."""
        self._submissions += renders

    def poll(self, wake: PumpWake | None) -> None:
        """Keep the run of a poll pump."""
        if wake:
            self._wakes.append(wake)

    def hooks_all(self, ids: Sequence[str]) -> None:
        """Keep whose hooks are owed."""
        self._hooks += ids

    def unpark(self) -> None:
        """Remember that parked renders may go on."""
        self._unpark = True

    def publish(self) -> None:
        """Publish what was kept."""
        self._dispatcher.submit_all(self._submissions)
        self._dispatcher.hooks_all(self._hooks)
        for wake in self._wakes:
            self._dispatcher.poll(wake)
        if self._unpark:
            self._dispatcher.unpark()
        self._submissions, self._hooks, self._wakes, self._unpark = [], [], [], False
