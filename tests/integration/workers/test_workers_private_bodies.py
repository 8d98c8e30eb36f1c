"""The text of a message is in no log line, event or reply of a worker, whatever is wrong with the message."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from harness import USER_KEY, Valkey, Worker, free_port, until
from renderline.contract import QUEUES, render_id_for_key
from tests.integration.workers.poison import RENDER, envelope, task

MARKER = "Xylophone marmalade quarterly numbers"
SCENES = [{"script": MARKER, "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}]
REQUEST = {"kind": "project", "scenes": SCENES}
ASKED = {"request": REQUEST, "key": None}


def asked(body: Any = None, *, queue: str = "requests", name: str = "renderline.request", **headers: Any) -> Any:
    body = [[], ASKED, {}] if body is None else body
    return queue, envelope(body, task(name, **{"id": f"id-{name}", **headers}), queue=queue)


def garbled() -> bytes:
    return b'[[], {"request": {"script": "' + MARKER.encode()


def messages() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (queue, message) with the marker in each; every one but the last few is odd in its own way."""
    for queue in (*QUEUES, "extra"):
        yield asked(queue=queue, name="billing.charge")
    for content in ("application/x-yaml", "application/x-python-serialize", "application/data", "text/plain", MARKER):
        queue, message = asked()
        yield queue, {**message, "content-type": content}
        yield "extra", {**message, "content-type": content}
    for encoding in ("rot13", "binary", "utf-16", MARKER):
        queue, message = asked()
        yield queue, {**message, "content-encoding": encoding}
    for queue in ("requests", "submit", "extra"):
        yield asked(garbled(), queue=queue)
        _, plain = asked(queue=queue)
        yield queue, {**plain, "body": garbled().decode(), "properties": {**plain["properties"], "body_encoding": None}}
        yield queue, {**plain, "headers": {}, "body": base64.b64encode(garbled() + b'"}}, {}]').decode()}
    for header in ("eta", "expires", "timelimit", "stamped_headers", "compression"):
        yield asked(**{header: {"text": MARKER}})
        yield asked(**{header: MARKER})
    for body in ([[MARKER], {}, {}], [[], {"request": MARKER}, {}], [[], {**ASKED, "later": MARKER}, {}]):
        yield asked(body)
    # A key that is none, and requests that the task refuses: wrong values, wrong fields, an unknown account.
    for key in ({"script": MARKER}, MARKER * 40, f"\n{MARKER}"):
        yield asked([[], {"request": REQUEST, "key": key}, {}])
    for wrong in ({"kind": "nothing"}, {"account": "nobody"}, {"hooks": [{"type": "http", "url": MARKER}]}):
        yield asked([[], {"request": {**REQUEST, **wrong}}, {}])
    yield asked([[], {"request": {**REQUEST, "scenes": MARKER}}, {}])
    yield asked([[REQUEST], {}, {}])
    yield asked(argsrepr=MARKER, kwargsrepr=MARKER, shadow=MARKER)
    for name, queue, args in (("submit", "submit", [RENDER]), ("hook", "hooks", [RENDER, 0])):
        _, message = asked([args, {}, {}], name=f"renderline.{name}", argsrepr=MARKER, kwargsrepr=MARKER, shadow=MARKER)
        yield queue, message
    yield asked([[MARKER], {}, {}], name="renderline.submit", queue="submit", argsrepr="()")
    # Waits in the worker, where `inspect` shows it.
    yield asked(
        [[], {"request": REQUEST, "key": "later"}, {}],
        id="waiting",
        eta=(datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    )


class Events:
    """Everything that workers publish, as Flower receives it."""

    def __init__(self, app: Celery) -> None:
        self.seen: list[dict[str, Any]] = []
        self._app, self._over = app, threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with self._app.connection() as connection:
            receiver = self._app.events.Receiver(connection, handlers={"*": self.seen.append})
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    receiver.capture(limit=None, timeout=0.5, wakeup=False)

    def stop(self) -> str:
        self._over.set()
        self._thread.join(30)
        return json.dumps(self.seen, default=str, ensure_ascii=False)


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_no_body_is_shown(start_worker: Any, valkey: Valkey, redis: Redis, fmt: str) -> None:
    worker: Worker = start_worker(
        queues="requests,submit,poll,hooks,extra",
        REDIS_URL=valkey.url,
        AISTUDIOS_BASE_URL=f"http://127.0.0.1:{free_port()}",
        AISTUDIOS_APP_ID="studio.acme",
        AISTUDIOS_USER_KEY=USER_KEY,
        RENDERLINE_LOG_FORMAT=fmt,
        RENDERLINE_LOG_LEVEL="DEBUG",
    )
    with Celery("watcher", broker=valkey.url) as app:
        events = Events(app)
        until(lambda: any(event["type"] == "worker-heartbeat" for event in events.seen), what="events")
        for number, (queue, message) in enumerate(messages()):
            message["properties"]["delivery_tag"] = f"tag-{number}"
            redis.lpush(queue, json.dumps(message))
        command = envelope({"method": "ping", "arguments": {"script": MARKER}}, {}, queue="celery.pidbox")
        broadcasts = [
            {"method": MARKER},
            {"body": MARKER, "properties": {}},
            {**command, "content-type": "text/plain"},
            {**command, "content-encoding": "utf-16"},
            envelope(garbled(), {}, queue="celery.pidbox"),
        ]
        for raw in (MARKER, *map(json.dumps, broadcasts)):
            redis.publish("/0.celery.pidbox", raw)
        app.send_task("renderline.request", kwargs={"request": REQUEST, "key": "last"}, queue="requests")
        until(lambda: redis.exists(f"renderline:render:{render_id_for_key('last')}"), what="the last one accepted")
        until(lambda: not any(redis.llen(queue) for queue in (*QUEUES, "extra")), what="all taken")
        until(lambda: len([tag for tag in redis.hkeys("unacked") if tag.startswith("tag-")]) <= 1, what="acked")
        inspect = app.control.inspect(timeout=1)
        replies = [inspect.active(), inspect.reserved(), inspect.scheduled(), inspect.query_task("waiting")]
        shown = events.stop()
    places = {"log": worker.output(), "events": shown, "inspect": json.dumps(replies)}
    assert "task-received" in shown
    assert "'key': 'later'" in places["inspect"]
    for place, text in places.items():
        lines = [line for line in text.replace("}, {", "}\n{").splitlines() if MARKER.split()[1] in line]
        assert not lines, f"{place}, {len(lines)} lines:\n" + "\n".join(line[:600] for line in lines[:20])
    assert "Traceback" not in worker.output()
