"""Enqueueing renders from another service, by task name over its own Celery application; standard library alone.

    from renderline.producer import enqueue_render, wait_for

    render_id = enqueue_render(app, {"kind": "project", "scenes": [...]}, key="order-A-17")
    outcome = wait_for(app, render_id, timeout=900)

`app` is any Celery application whose broker is Renderline's Redis. Messages and ids are those of `renderline.contract`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from renderline import contract

_BATCH = 500
_FINAL = frozenset({"delivered", "undelivered", "failed", "expired", "canceled"})
_PREFIX = "renderline:"


class RequestNotAccepted(ValueError):
    """The workers refused the request; the text names every wrong field by its path, one a line."""


class Outcome(NamedTuple):
    """How a render ended: its final state, its file's addresses, and what went wrong."""

    id: str
    state: str
    stored_url: str | None
    download_url: str | None
    error: str | None


def enqueue_render(app: Any, request: Mapping[str, Any], *, key: str | None = None, wait: float | None = None) -> str:
    """Enqueue a render request and return its render id.

    The same `key` always gives the same render. Without `wait` it returns as soon as the broker has the message, and a
    request that turns out to be wrong makes no render. With `wait` (seconds; `app` needs a result backend) it returns
    once a worker has accepted the request, raising `RequestNotAccepted` if it was refused or `TimeoutError`.
    """
    message_id, render_id = _ids(key)
    result = app.send_task(**_message(request, key, message_id, answered=wait is not None))
    if wait is None:
        return render_id
    try:
        # Interrupted, the result is dropped from the backend when it expires.
        return str(result.get(timeout=wait, disable_sync_subtasks=False))
    except Exception as error:
        if type(error).__name__ in ("RequestRefused", "KeyConflict"):
            raise RequestNotAccepted(str(error)) from None
        if type(error).__name__ == "TimeoutError":
            raise TimeoutError(f"no worker answered within {wait:g} s; it is enqueued as {render_id}") from None
        raise


def enqueue_renders(
    app: Any, requests: Iterable[Mapping[str, Any] | tuple[str | None, Mapping[str, Any]]]
) -> list[str]:
    """Enqueue many requests over one broker connection, pipelined, and return their render ids in order.

    Each item is a request, or a pair of key and request.
    """
    ids: list[str] = []
    with app.producer_pool.acquire(block=True) as producer, producer.batch(max_size=_BATCH):
        for item in requests:
            key, request = item if isinstance(item, tuple) else (None, item)
            message_id, render_id = _ids(key)
            app.send_task(**_message(request, key, message_id, answered=False), producer=producer)
            ids.append(render_id)
    return ids


def wait_for(app: Any, render_id: str, *, timeout: float = 3600.0) -> Outcome:
    """Wait until a render has ended and return how; raises `TimeoutError` after `timeout` seconds.

    Follows Renderline's event stream in Redis over the broker connection: no polling, no result backend.
    """
    give_up = time.monotonic() + timeout
    with app.connection_for_read() as connection:
        client = connection.default_channel.client
        last = _newest(client)
        while True:
            fields = _text(client.hgetall(f"{_PREFIX}render:{render_id}"))
            state = fields.get("state")
            if state in _FINAL:
                return Outcome(
                    render_id, state, fields.get("stored_url"), fields.get("download_url"), fields.get("error_message")
                )
            left = give_up - time.monotonic()
            if left <= 0:
                seen = f"is {state}" if state else "is not known: not accepted yet, or refused"
                raise TimeoutError(f"render {render_id} {seen} after {timeout:g} s")
            last = _next_event(client, render_id, last, left)


def _next_event(client: Any, render_id: str, last: str, left: float) -> str:
    until = time.monotonic() + min(left, 5.0)
    while (wait := until - time.monotonic()) > 0:
        for _, entries in client.xread({f"{_PREFIX}events": last}, count=100, block=max(1, int(wait * 1000))) or ():
            for event, fields in entries:
                last = event.decode() if isinstance(event, bytes) else event
                if _text(fields).get("id") == render_id:
                    return last
    return last


def _newest(client: Any) -> str:
    entries = client.xrevrange(f"{_PREFIX}events", count=1)
    newest = entries[0][0] if entries else "0-0"
    return newest.decode() if isinstance(newest, bytes) else newest


def _text(fields: Mapping[Any, Any]) -> dict[str, str]:
    def plain(value: Any) -> str:
        return value.decode() if isinstance(value, bytes) else value

    return {plain(name): plain(value) for name, value in fields.items()}


def _ids(key: str | None) -> tuple[str, str]:
    message_id = str(uuid.uuid4())
    return message_id, contract.render_id_for_message(message_id) if key is None else contract.render_id_for_key(key)


def _message(request: Mapping[str, Any], key: str | None, message_id: str, *, answered: bool) -> dict[str, Any]:
    return {
        "name": contract.REQUEST,
        "kwargs": {"request": dict(request), "key": key},
        "queue": contract.REQUESTS_QUEUE,
        "task_id": message_id,
        "ignore_result": not answered,
        # What events and Flower show; without these, Celery writes the whole request there.
        "argsrepr": "()",
        "kwargsrepr": repr({"request": "<redacted>", "key": key}),
    }
