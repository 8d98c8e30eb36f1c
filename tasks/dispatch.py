"""The whole flow in one place: which message follows which event.

    request -> submit -> poll (retrying, batched) -> chain(hook 0, hook 1, ...)

Every message carries ids only. Losing one costs time, not a render: the sweep publishes it again from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from celery import Celery, chain

from renderline import contract
from renderline.ledger import Kick, Ledger


class CeleryDispatcher:
    """Publishes by task name on the queues of the contract."""

    def __init__(self, app: Celery, ledger: Ledger, *, slots: Mapping[str, int] | None = None) -> None:
        self._app, self._ledger, self._slots = app, ledger, slots or {}

    def submit(self, render_id: str, priority: str) -> None:
        """Have a render submitted."""
        self._app.signature(
            contract.SUBMIT,
            args=(render_id,),
            queue=contract.SUBMIT_QUEUE,
            priority=contract.PRIORITIES[priority],
        ).apply_async()

    def poll(self, kick: Kick) -> None:
        """Have a pump of an account run, at once or after the kick's delay."""
        self._app.signature(
            contract.POLL,
            args=(kick.account, kick.slot, kick.ticket),
            queue=contract.POLL_QUEUE,
            countdown=kick.delay or None,
        ).apply_async()

    def hooks(self, render_id: str) -> None:
        """Have the hooks that a finished render still owes run, in the request's order."""
        owed = self._ledger.owed_hooks(render_id)
        if owed:
            links = [
                self._app.signature(contract.HOOK, args=(render_id, index), queue=contract.HOOKS_QUEUE, immutable=True)
                for index in owed
            ]
            chain(*links, app=self._app).apply_async()

    def moved(self, changes: Sequence[tuple[str, str]]) -> None:
        """React to renders that a look at the vendor moved: run the hooks of those that ended, resubmit the others."""
        for render_id, state in changes:
            if state == "submitting":
                self.submit(render_id, self._ledger.priority_of(render_id))
            elif state != "rendering":
                self.hooks(render_id)
        if self._slots:
            self.freed()

    def freed(self) -> None:
        """Have the renders submitted that waited for a slot of their account at the vendor."""
        for account, slots in self._slots.items():
            for render_id, priority in self._ledger.unpark(account, slots=slots):
                self.submit(render_id, priority)
