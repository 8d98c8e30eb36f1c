"""Malformed messages, such as other programs may write into the lists of the broker."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Iterator
from typing import Any

SECRET = "Nobody may read this before Thursday"
RENDER = "f" * 32


def envelope(body: Any, headers: Any = None, *, queue: str = "submit", **properties: Any) -> dict[str, Any]:
    """Return a message as kombu writes it. `body` is bytes, or a value that becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "body": base64.b64encode(raw).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": task("renderline.submit") if headers is None else headers,
        "properties": {
            "delivery_tag": f"tag-{random.getrandbits(64):x}",
            "delivery_info": {"exchange": "", "routing_key": queue},
            "body_encoding": "base64",
            "correlation_id": "c",
            "reply_to": "r",
            "priority": 0,
            "delivery_mode": 2,
            **properties,
        },
    }


def task(name: Any, **changes: Any) -> dict[str, Any]:
    """Return the headers of a task message."""
    usual = {"lang": "py", "id": "i1", "retries": 0, "eta": None, "expires": None, "timelimit": [None, None]}
    return {"task": name, **usual, "argsrepr": "()", "kwargsrepr": "{}", **changes}


def _without(message: dict[str, Any], *path: str) -> dict[str, Any]:
    changed = copy.deepcopy(message)
    place: Any = changed
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return changed


def _bodies() -> Iterator[tuple[str, Any]]:
    yield "body not JSON", b"{nope " + SECRET.encode()
    yield "body not UTF-8", b"\xff\xfe" + SECRET.encode()
    yield "body nested too deep", b"[" * 20000 + b"]" * 20000
    yield "body a number", 5
    yield "body a text", SECRET
    yield "body null", None
    yield "body too short", [[RENDER]]
    yield "args not a list", ["x", {}, {}]
    yield "kwargs null", [[RENDER], None, {}]
    yield "embed a text", [[RENDER], {}, "x"]
    yield "chain of numbers", [[RENDER], {}, {"chain": [5]}]
    yield "chain a number", [[RENDER], {}, {"chain": 5}]
    yield "callbacks a text", [[RENDER], {}, {"callbacks": "x"}]
    yield "callbacks without a task", [[RENDER], {}, {"callbacks": [{}]}]
    yield "errbacks with odd options", [[RENDER], {}, {"errbacks": [{"task": "x", "options": 5}]}]
    yield "chord a number", [[RENDER], {}, {"chord": 5}]
    yield "too many arguments", [[RENDER, SECRET], {}, {}]
    yield "too few arguments", [[], {}, {}]
    yield "an unknown argument", [[RENDER], {"secret": SECRET}, {}]
    yield "an id that is an object", [[{"secret": SECRET}], {}, {}]
    yield "half a surrogate pair", b'[["\\ud83d"], {}, {}]'


def _headers() -> Iterator[tuple[str, Any]]:
    yield "headers null", None
    yield "headers a list", []
    yield "no task", {"id": "i1"}
    yield "task a number", task(5)
    yield "task of a later version", task("renderline.later")
    yield "task of another system", task("billing.charge")
    yield "a task of Celery's", task("celery.backend_cleanup")
    yield "id missing", {"task": "renderline.submit"}
    yield "id null", task("renderline.submit", id=None)
    yield "id a number", task("renderline.submit", id=5)
    yield "id half a surrogate pair", task("renderline.submit", id="\ud83d")
    yield "retries a text", task("renderline.submit", retries="many")
    yield "retries negative", task("renderline.submit", retries=-1)
    yield "eta a word", task("renderline.submit", eta="tomorrow")
    yield "eta a number", task("renderline.submit", eta=5)
    yield "eta in another age", task("renderline.submit", eta="9999-01-01T00:00:00")
    yield "expires a word", task("renderline.submit", expires="never")
    yield "timelimit a text", task("renderline.submit", timelimit="x")
    yield "timelimit of texts", task("renderline.submit", timelimit=["x", "y"])
    yield "timelimit of three", task("renderline.submit", timelimit=[1, 2, 3])
    yield "shadow a list", task("renderline.submit", shadow=[1])
    yield "stamps a list", task("renderline.submit", stamps=[1], stamped_headers=5)
    yield "unknown compression", task("renderline.submit", compression="nothing")
    yield "argsrepr an object", task("renderline.submit", argsrepr={})


def table() -> Iterator[tuple[str, str | bytes]]:
    """Yield (what is wrong, raw message) for messages that are no valid tasks."""
    good = envelope([[RENDER], {}, {}])
    yield "not JSON", "garbage{" + SECRET
    yield "not text", b"\xff\xfe\x00" + SECRET.encode()
    yield "empty", ""
    yield "a number", "5"
    yield "null", "null"
    yield "a list", "[]"
    yield "nested too deep", "[" * 20000 + "]" * 20000
    for path in (("body",), ("headers",), ("properties",), ("content-type",)):
        yield f"no {path[0]}", json.dumps(_without(good, *path))
    for name in ("delivery_tag", "delivery_info"):
        yield f"no {name}", json.dumps(_without(good, "properties", name))
    yield "body not base64", json.dumps({**good, "body": "e"})
    yield "body an object", json.dumps({**good, "body": {"a": 1}})
    yield "pickle", json.dumps({**good, "content-type": "application/x-python-serialize"})
    yield "unknown encoding", json.dumps({**good, "content-encoding": "rot13"})
    yield "unknown body encoding", json.dumps(envelope([[RENDER], {}, {}], body_encoding="zip"))
    yield "tag a number", json.dumps(envelope([[RENDER], {}, {}], delivery_tag=5))
    yield "priority a text", json.dumps(envelope([[RENDER], {}, {}], priority="high"))
    yield "delivery_info a text", json.dumps(envelope([[RENDER], {}, {}], delivery_info="x"))
    for what, body in _bodies():
        yield what, json.dumps(envelope(body))
    for what, headers in _headers():
        yield what, json.dumps({**envelope([[RENDER], {}, {}]), "headers": headers})
    yield "poll with a text for a slot", json.dumps(envelope([["a", "x", "y"], {}, {}], task("renderline.poll")))
    yield "a hook before the first", json.dumps(envelope([[RENDER, -1], {}, {}], task("renderline.hook")))


_ODD = (None, True, -1, 5, 1e308, "", "x", "\ud83d", "\x00", [], [None], {}, {"a": {}}, "9" * 400, [[[]]])


def mutants(count: int, *, seed: int) -> Iterator[str]:
    """Yield valid messages of every task, each with one to three parts made invalid."""
    dice = random.Random(seed)
    sound = [
        envelope([[RENDER], {}, {"callbacks": None, "chain": None}], task("renderline.submit")),
        envelope([["none", 0, 1], {}, {"callbacks": None, "chain": None}], task("renderline.poll")),
        envelope(
            [[RENDER, 0], {}, {"chain": [{"task": "x", "args": [], "kwargs": {}, "options": {}}]}],
            task("renderline.hook"),
        ),
        envelope([[], {"request": {"kind": "x"}, "key": "k"}, {}], task("renderline.request")),
    ]
    for number in range(count):
        message = copy.deepcopy(dice.choice(sound))
        message["properties"]["delivery_tag"] = f"mutant-{number}"
        message["headers"]["id"] = f"mutant-{number}"
        body = json.loads(base64.b64decode(message["body"]))
        for _ in range(dice.randint(1, 3)):
            part = dice.choice([message, message["properties"], message["headers"], body, body])
            _bend(part, dice)
            if not isinstance(message.get("properties"), dict) or not isinstance(message.get("headers"), dict):
                break
        if isinstance(message.get("body"), str) and dice.random() < 0.9:
            message["body"] = base64.b64encode(json.dumps(body).encode()).decode()
        yield json.dumps(message)


def _bend(part: Any, dice: random.Random) -> None:
    names = list(part) if isinstance(part, dict) else list(range(len(part)))
    if not names:
        return
    name = dice.choice(names)
    if isinstance(part[name], (dict, list)) and part[name] and dice.random() < 0.6:
        _bend(part[name], dice)
    elif isinstance(part, dict) and dice.random() < 0.3:
        del part[name]
    else:
        part[name] = copy.deepcopy(dice.choice(_ODD))
