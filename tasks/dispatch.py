"""The whole flow in one place: which message follows which event.

    request -> submit -> poll (retrying, batched) -> chain(hook 0, hook 1, ...)

Every message carries ids only. Losing one costs time, not a render: the sweep publishes it again from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from celery import Celery, Signature, chain
from kombu.exceptions import KombuError

from renderline import contract
from renderline.ledger import Flow, Kick, Ledger

log = structlog.get_logger(__name__)

_BATCH = 500


@contextmanager
def _publishing() -> Iterator[None]:
    """Turn the message library's own error for a broker that cannot be reached into the standard one."""
    try:
        yield
    except KombuError as error:
        raise ConnectionError(f"the broker did not take the message ({type(error).__name__})") from error


class CeleryDispatcher:
    """Publishes by task name on the queues of the contract; raises `OSError` or `RedisError` where it cannot."""

    def __init__(self, app: Celery, ledger: Ledger) -> None:
        self._app, self._ledger, self._flow = app, ledger, Flow(ledger)

    def submit(self, render_id: str, priority: str) -> None:
        """Have a render submitted."""
        with _publishing():
            self._submission(render_id, priority).apply_async()

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        """Have many renders, (id, priority), submitted: over one connection, pipelined."""
        with _publishing(), self._app.producer_pool.acquire(block=True) as producer, producer.batch(max_size=_BATCH):
            for render_id, priority in renders:
                self._submission(render_id, priority).apply_async(producer=producer)

    def _submission(self, render_id: str, priority: str) -> Signature:
        return self._app.signature(
            contract.SUBMIT,
            args=(render_id,),
            queue=contract.SUBMIT_QUEUE,
            priority=contract.PRIORITIES[priority],
        )

    def poll(self, kick: Kick) -> None:
        """Have a pump of an account run, at once or after the kick's delay."""
        with _publishing():
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
            with _publishing():
                chain(*links, app=self._app).apply_async()

    def moved(self, changes: Sequence[tuple[str, str]]) -> None:
        """React to renders that a look at the vendor moved: run the hooks of those that ended, resubmit the others."""
        for render_id, state in changes:
            log.info("render moved", render_id=render_id, state=state)
            if state == "submitting":
                self.submit(render_id, self._ledger.priority_of(render_id))
            elif state != "rendering":
                self.hooks(render_id)
        self.freed()

    def freed(self) -> None:
        """Have the renders submitted that waited for their account: for a slot at the vendor, or for silence to end."""
        for render_id, priority in self._flow.unpark():
            self.submit(render_id, priority)
