"""Poison: invalid messages, as a faulty producer, a newer version or a test may leave them in a queue."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis, RedisError

_NOBODY = "f" * 32


def _envelope(raw: bytes, headers: Mapping[str, Any], *, kind: str = "application/json", **more: Any) -> bytes:
    delivery = {"delivery_tag": "poison", "delivery_info": {"exchange": "", "routing_key": "requests"}}
    properties = {"body_encoding": "base64", "priority": 0, "delivery_mode": 2, **delivery}
    message = {
        "body": base64.b64encode(raw).decode(),
        "content-encoding": "utf-8",
        "content-type": kind,
        "headers": dict(headers),
        "properties": properties,
        **more,
    }
    return json.dumps(message).encode()


def _headers(task: str, **more: Any) -> dict[str, Any]:
    return {"task": task, "id": "poison", "lang": "py", "retries": 0, "eta": None, "expires": None, **more}


def messages(task: str) -> dict[str, bytes]:
    """Return the invalid messages for the queue of `task`, by what is wrong with them."""
    empty = b"[[],{},{}]"
    return {
        "not JSON": b"\xff\xfegarbage{",
        "a number": b"5",
        "null": b"null",
        "a list": b"[]",
        "nothing": b"",
        "no properties": b'{"body": "", "headers": {}}',
        "properties are a number": _envelope(empty, _headers(task), properties=7),
        "body not base64": _envelope(empty, _headers(task), body=""),
        "body not JSON": _envelope(b"{nope", _headers(task)),
        "body is a number": _envelope(b"5", _headers(task)),
        "body is a pickle": _envelope(b"\x80\x04N.", _headers(task), kind="application/x-python-serialize"),
        "no task": _envelope(empty, {"id": "poison"}),
        "unknown task": _envelope(empty, _headers("renderline.nothing")),
        "wrong arguments": _envelope(b'[["a","b","c","d"],{"z":1},{}]', _headers(task)),
        "keywords are null": _envelope(b'[["%s"],null,{}]' % _NOBODY.encode(), _headers(task)),
        "argument is an object": _envelope(b'[[{"a":1}],{},{}]', _headers(task)),
        "nobody's render": _envelope(b'[["%s"],{},{}]' % _NOBODY.encode(), _headers(task)),
        "time limit is a text": _envelope(empty, _headers(task, timelimit="soon")),
        "ETA is a text": _envelope(empty, _headers(task, eta="tomorrow")),
        "expiry is a text": _envelope(empty, _headers(task, expires="x")),
        "retries are a text": _envelope(empty, _headers(task, retries="many")),
        "id is a number": _envelope(empty, _headers(task, id=5)),
        "half a surrogate pair": _envelope(b'[["\\ud83d"],{},{}]', _headers(task)),
        "chain is a number": _envelope(b'[["%s"],{},{"chain":[5]}]' % _NOBODY.encode(), _headers(task)),
    }


class Poisoner(threading.Thread):
    """Puts one invalid message into a queue every `every` seconds: each kind into each queue, in random order."""

    def __init__(self, redis_url: str, tasks: Mapping[str, str], *, every: float, seed: int) -> None:
        super().__init__(name="poisoner", daemon=True)
        self._url, self._every = redis_url, every
        self._turn = _in_turn(tasks, random.Random(seed))
        self._stopped = threading.Event()
        self.thrown = 0

    def run(self) -> None:
        """Run until stopped; while the server is down, messages are put off."""
        pending = None
        while not self._stopped.wait(self._every):
            queue, raw = pending or self._turn[self.thrown % len(self._turn)]
            pending = queue, raw
            try:
                # A new connection for each: an old one may lead to a demoted server.
                with Redis.from_url(self._url, socket_timeout=5) as redis:
                    redis.lpush(queue, raw)
            except (RedisError, OSError):
                continue
            self.thrown, pending = self.thrown + 1, None

    def stop(self) -> None:
        """Stop."""
        self._stopped.set()
        self.join(30)


def _in_turn(tasks: Mapping[str, str], chance: random.Random) -> Sequence[tuple[str, bytes]]:
    found = [(queue, raw) for queue, task in tasks.items() for raw in messages(task).values()]
    chance.shuffle(found)
    return found
