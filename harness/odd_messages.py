"""Thousands of odd entries for the broker's keys and channels, as hypothesis makes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from redis import Redis

from renderline.contract import QUEUES

RENDER = "f" * 32
TASKS = ("renderline.request", "renderline.submit", "renderline.poll", "renderline.hook")
PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
CHANNELS = ("/0.celery.pidbox", "/0.celeryev/worker.heartbeat", "/0.celeryev/task.received", "/0.celery.pidbox/x")

ODD = st.sampled_from(
    [None, True, False, 0, -1, 5, 2**53, 10**400, 1e308, -0.0, float("inf"), float("nan"), "", "x", "\ud83d", "\x00",
     "\n", "9" * 400, "2026-11-21T00:00:00", "9999-01-01T00:00:00", [], {}, [1, 2], [None], [[[]]], {"a": {}}, "base64",
     "zlib", {"__type__": "datetime", "__value__": "x"}, {"__type__": "uuid", "__value__": []}, "application/data",
     RENDER]
)  # fmt: skip
VALUES = st.recursive(
    ODD | st.text(max_size=8) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


class OddEntry(NamedTuple):
    """Raw bytes, and the command that puts them into Redis."""

    how: str
    place: str
    raw: bytes


def _sound(task: str) -> tuple[dict[str, Any], Any]:
    arguments: dict[str, Any] = {
        "renderline.request": [[], {"request": {"kind": "project"}, "key": None}],
        "renderline.submit": [[RENDER], {}],
        "renderline.poll": [["none", 0, 1], {}],
        "renderline.hook": [[RENDER, 0], {}],
    }
    usual = {"lang": "py", "task": task, "id": "id", "retries": 0, "eta": None, "expires": None}
    more = {"timelimit": [None, None], "argsrepr": "()", "kwargsrepr": "{}", "origin": "here", "root_id": "r"}
    route = {"exchange": "", "routing_key": "submit"}
    properties = {"delivery_tag": "tag", "delivery_info": route, "body_encoding": "base64", "priority": 0}
    message = {
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {**usual, **more, "shadow": None, "stamps": {}, "group": None, "renderline_version": 1},
        "properties": {**properties, "correlation_id": "c", "reply_to": "r", "delivery_mode": 2},
    }
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return message, [*arguments[task], embed]


@st.composite
def envelopes(draw: st.DrawFn) -> bytes:
    """Return a message of one of our tasks with up to four parts bent, or any JSON, or any bytes."""
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return draw(st.binary(max_size=60))
    if shape == 1:
        return json.dumps(draw(VALUES)).encode()
    message, body = _sound(draw(st.sampled_from(TASKS)))
    parts: list[Any] = [message, message["headers"], message["properties"], message["properties"]["delivery_info"]]
    parts += [body, body[0], body[1], body[2]]
    for _ in range(draw(st.integers(0 if shape == 2 else 1, 4))):
        part = draw(st.sampled_from(parts))
        names = list(part) if isinstance(part, dict) else list(range(len(part)))
        if not names or (draw(st.booleans()) and draw(st.booleans())):
            if isinstance(part, dict):
                part[draw(st.text(max_size=6))] = draw(VALUES)
            else:
                part.append(draw(VALUES))
            continue
        name = draw(st.sampled_from(names))
        if draw(st.integers(0, 4)):
            part[name] = draw(VALUES)
        else:
            del part[name]
    written = json.dumps(body).encode()
    if not draw(st.integers(0, 8)):
        written = draw(st.binary(max_size=40)) + written[: draw(st.integers(0, 40))]
    message["body"] = (
        base64.b64encode(written).decode() if draw(st.integers(0, 8)) else written.decode(errors="replace")
    )
    raw = json.dumps(message).encode()
    return raw[: draw(st.integers(0, len(raw)))] if not draw(st.integers(0, 12)) else raw


@st.composite
def commands(draw: st.DrawFn) -> bytes:
    """Return a remote control command with bent parts."""
    method = draw(
        st.sampled_from(["ping", "active", "conf", "query_task", "hello", "shutdown", "rate_limit", "x"]) | VALUES
    )
    reply = {
        "exchange": "reply.celery.pidbox",
        "routing_key": draw(st.sampled_from(["o-i-d", "renderline:paused", ""])),
    }
    command = {
        "method": method,
        "arguments": draw(VALUES),
        "destination": draw(VALUES),
        "reply_to": draw(st.just(reply) | VALUES),
    }
    command |= {"pattern": draw(st.none() | VALUES), "matcher": draw(st.sampled_from([None, "glob", "pcre", 5]))}
    for name in draw(st.lists(st.sampled_from(sorted(command)), max_size=4)):
        command.pop(name, None)
    message, _ = _sound("renderline.submit")
    message["headers"] = {"clock": draw(st.integers(0, 9) | VALUES), "expires": draw(st.none() | VALUES)}
    return json.dumps({**message, "body": base64.b64encode(json.dumps(command).encode()).decode()}).encode()


@st.composite
def entries(draw: st.DrawFn) -> OddEntry:
    """Return an entry for a queue (most of them), a channel, or what workers note as unacked."""
    raw = draw(envelopes())
    kind = draw(st.integers(0, 9))
    if kind < 7:
        return OddEntry("queue", draw(st.sampled_from(QUEUES)) + draw(st.sampled_from(PRIORITIES)), raw)
    if kind < 9:
        return OddEntry("channel", draw(st.sampled_from(CHANNELS)), raw if draw(st.booleans()) else draw(commands()))
    if draw(st.booleans()):
        noted = [draw(VALUES), draw(st.just("") | VALUES), draw(st.sampled_from(QUEUES) | VALUES)]
        raw = json.dumps(noted[: draw(st.integers(0, 3))]).encode()
    else:
        raw = b"[" + raw + b', "", "requests"]'
    return OddEntry("unacked", draw(st.text("abc", min_size=1, max_size=3)), raw)


def throw(redis: Redis, count: int, *, number: int = 0, after_each: Callable[[int], object] | None = None) -> int:
    """Put `count` odd entries where workers find them, and return how many were put. `number` is the seed.

    A broker without them works the same afterwards. `after_each` is called with how many there were so far.
    """
    put = 0

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(entry=entries())
    def put_one(entry: OddEntry) -> None:
        nonlocal put
        if entry.how == "queue":
            redis.execute_command("LPUSH", entry.place, entry.raw)
        elif entry.how == "channel":
            redis.execute_command("PUBLISH", entry.place, entry.raw)
        else:
            with redis.pipeline() as pipe:
                pipe.execute_command("HSET", "unacked", f"odd-{entry.place}", entry.raw)
                pipe.zadd("unacked_index", {f"odd-{entry.place}": 1.0})
                pipe.execute()
        put += 1
        if after_each is not None:
            after_each(put)

    put_one()
    return put
