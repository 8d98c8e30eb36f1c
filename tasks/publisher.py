"""Publishing the messages of the flow with Celery; `renderline/dispatcher.py` decides which."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError

from renderline import contract
from renderline.ledger import PumpWake

_BATCH = 500

_LANES = {f"submit.{name}": (contract.SUBMIT_QUEUE, step) for name, step in contract.PRIORITIES.items()} | {
    "hook": (contract.HOOKS_QUEUE, 0)
}
"""The queue and priority of the messages of each lane."""


@contextmanager
def _publishing() -> Iterator[None]:
    """Turn kombu's error for a broker that cannot be reached into a `ConnectionError`."""
    try:
        yield
    except KombuError as error:
        raise ConnectionError(f"the broker did not take the message ({type(error).__name__})") from error


class CeleryPublisher:
    """Publishes by task name on the queues of the contract; raises `OSError` or `RedisError` on failure."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def submit(self, renders: Sequence[tuple[str, str]]) -> None:
        """Publish a submission for each render (id, priority)."""
        with self._batch(len(renders)) as producer:
            for render_id, priority in renders:
                step = contract.PRIORITIES.get(priority, contract.PRIORITIES["normal"])
                options = {"queue": contract.SUBMIT_QUEUE, "priority": step}
                self._send(contract.SUBMIT, render_id, producer=producer, **options)

    def poll(self, wake: PumpWake) -> None:
        """Publish a run of a poll pump, due after the wake's delay."""
        pump = (wake.account, wake.slot, wake.ticket)
        with _publishing():
            self._send(contract.POLL, *pump, queue=contract.POLL_QUEUE, countdown=wake.delay or None)

    def hooks(self, hooks: Sequence[tuple[str, int]]) -> None:
        """Publish hooks (render id, index)."""
        with self._batch(len(hooks)) as producer:
            for render_id, index in hooks:
                self._send(contract.HOOK, render_id, index, queue=contract.HOOKS_QUEUE, producer=producer)

    def oldest(self) -> dict[str, str]:
        """Return, by lane, the render or render:hook of the oldest message in its queue."""
        with _publishing(), self._app.connection_or_acquire() as connection:
            channel = connection.default_channel
            with channel.client.pipeline(transaction=False) as pipe:
                for queue, step in _LANES.values():
                    # kombu keeps each priority step but the first in a list of its own.
                    pipe.lindex(f"{queue}{channel.sep}{step}" if step else queue, -1)
                found = pipe.execute()
        return {lane: _about(message) for lane, message in zip(_LANES, found, strict=True) if message}

    def _send(self, task: str, *args: Any, **options: Any) -> None:
        # Without ignore_result, Celery in the gateway, which knows no tasks, would subscribe to each result. Declaring
        # a named queue does nothing on Redis and takes time.
        self._app.send_task(task, args=args, ignore_result=True, declare=[], **options)

    @contextmanager
    def _batch(self, messages: int) -> Iterator[Any]:
        """Yield a producer for that many messages; several share one connection and are sent together."""
        with _publishing():
            if messages < 2:
                yield None
                return
            with self._app.producer_pool.acquire(block=True) as producer, producer.batch(max_size=_BATCH):
                yield producer


def _about(message: bytes | str) -> str:
    """Return the arguments of a message as a member of its lane; `?` for a message of another form."""
    try:
        envelope = json.loads(message)
        body = envelope["body"]
        if envelope["properties"]["body_encoding"] == "base64":
            body = base64.b64decode(body)
        return ":".join(map(str, json.loads(body)[0]))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return "?"
