"""The whole flow in one place: which message follows which event.

    request -> submit -> poll (retrying, batched) -> hook 0, hook 1, ... (each retrying)

Every message carries ids only. Losing one costs time, not a render: the sweep publishes it again from the ledger.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import KombuError

from renderline import contract
from renderline.ledger import AccountLimits, Ledger, PumpWake

log = structlog.get_logger(__name__)

_BATCH = 500

_LANES = {f"submit.{name}": (contract.SUBMIT_QUEUE, step) for name, step in contract.PRIORITIES.items()} | {
    "hook": (contract.HOOKS_QUEUE, 0)
}
"""The ledger's lanes, in which owners take turns, and the lists of the broker in which their messages stand."""


@contextmanager
def _publishing() -> Iterator[None]:
    """Turn the message library's own error for a broker that cannot be reached into the standard one."""
    try:
        yield
    except KombuError as error:
        raise ConnectionError(f"the broker did not take the message ({type(error).__name__})") from error


class CeleryDispatcher:
    """Publishes by task name on the queues of the contract; raises `OSError` or `RedisError` where it cannot."""

    def __init__(self, app: Celery, ledger: Ledger, flow: AccountLimits | None = None) -> None:
        self._app, self._ledger, self._flow = app, ledger, flow or AccountLimits(ledger)

    def submit(self, render_id: str, priority: str) -> None:
        """Have a render submitted."""
        self.submit_all([(render_id, priority)])

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        """Have many renders, (id, priority), submitted."""
        with self._batch(len(renders)) as producer:
            for render_id, priority in renders:
                step = contract.PRIORITIES.get(priority, contract.PRIORITIES["normal"])
                options = {"queue": contract.SUBMIT_QUEUE, "priority": step}
                self._send(contract.SUBMIT, render_id, producer=producer, **options)

    def oldest(self) -> dict[str, str]:
        """Return by lane what the oldest message in its queue is about (render, or render:hook); none: it is empty."""
        with _publishing(), self._app.connection_or_acquire() as connection:
            channel = connection.default_channel
            with channel.client.pipeline(transaction=False) as pipe:
                for queue, step in _LANES.values():
                    pipe.lindex(channel._q_for_pri(queue, step), -1)
                found = pipe.execute()
        return {lane: _about(message) for lane, message in zip(_LANES, found, strict=True) if message}

    def poll(self, kick: PumpWake) -> None:
        """Have a pump of an account run, at once or after the kick's delay."""
        pump = (kick.account, kick.slot, kick.ticket)
        with _publishing():
            self._send(contract.POLL, *pump, queue=contract.POLL_QUEUE, countdown=kick.delay or None)

    def hooks(self, render_id: str) -> None:
        """Have the hooks that a finished render still owes run."""
        self.hooks_all([render_id])

    def hooks_all(self, ids: Sequence[str]) -> None:
        """Have the hooks that finished renders still owe run; those whose turn has not come wait for it."""
        self.hook_messages(self._ledger.send_hooks(ids))

    def hook_messages(self, hooks: Sequence[tuple[str, int]]) -> None:
        """Send hooks (render id, index)."""
        with self._batch(len(hooks)) as producer:
            for render_id, index in hooks:
                self._send(contract.HOOK, render_id, index, queue=contract.HOOKS_QUEUE, producer=producer)

    def _send(self, task: str, *args: Any, **options: Any) -> None:
        # No result: where tasks are unknown, as in the gateway, Celery would subscribe to that of each. No declaration:
        # for a queue that is named it does nothing on Redis but take time.
        self._app.send_task(task, args=args, ignore_result=True, declare=[], **options)

    @contextmanager
    def _batch(self, messages: int) -> Iterator[Any]:
        """Lend what publishes that many messages: several go out together over one connection."""
        with _publishing():
            if messages < 2:
                yield None
                return
            with self._app.producer_pool.acquire(block=True) as producer, producer.batch(max_size=_BATCH):
                yield producer

    def moved(self, changes: Sequence[tuple[str, str]]) -> None:
        """React to renders that a look at the vendor moved: run the hooks of those that ended, resubmit the others."""
        ended = []
        for render_id, state in changes:
            log.info("render moved", render_id=render_id, state=state)
            if state == "submitting":
                self.submit(render_id, self._ledger.priority_of(render_id))
            elif state != "rendering":
                ended.append(render_id)
        if ended:
            self.hooks_all(ended)
        self.freed()

    def freed(self) -> None:
        """Have the renders submitted that waited for their account: for a slot at the vendor, or for silence to end."""
        self.submit_all(self._flow.unpark())


def _about(message: bytes | str) -> str:
    """Return the arguments of a message as a member of its lane; one of another form is about nothing known."""
    try:
        envelope = json.loads(message)
        body = envelope["body"]
        if envelope["properties"]["body_encoding"] == "base64":
            body = base64.b64decode(body)
        return ":".join(map(str, json.loads(body)[0]))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return "?"
