"""Hostile messages: whatever anyone may put into a queue that they can write to."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import VICTIM, Target, a_render
from benchmarks.chaos import poison
from harness import until
from renderline import contract

MARKER: Final = "Quarterly-Figures-Of-Zanzibar"
TASKS: Final[Mapping[str, str]] = {
    contract.REQUESTS_QUEUE: contract.REQUEST,
    contract.SUBMIT_QUEUE: contract.SUBMIT,
    contract.POLL_QUEUE: contract.POLL,
    contract.HOOKS_QUEUE: contract.HOOK,
}
_CONTENT_TYPES: Final = (
    "application/json",
    "application/data",
    "application/x-yaml",
    "application/x-python-serialize",
    "text/plain",
    "",
)
_VALUES: Final[tuple[Any, ...]] = (None, 5, -1, 1e308, "", "x", [], [1, 2], {}, {"a": []}, True, "\ud800", "\x00")


def envelope(body: bytes, headers: Mapping[str, Any], *, kind: str = "application/json", **more: Any) -> dict[str, Any]:
    """Return a message as kombu stores it in a list."""
    return {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": kind,
        "headers": dict(headers),
        "properties": {
            "body_encoding": "base64",
            "priority": 0,
            "delivery_tag": "attack",
            "delivery_info": {"exchange": "", "routing_key": "requests"},
        },
        **more,
    }


def headers(task: str, **more: Any) -> dict[str, Any]:
    """Return the headers of a task's message."""
    return {"task": task, "id": "attack", "lang": "py", "retries": 0, "eta": None, "expires": None, **more}


def _all_taken(target: Target) -> None:
    """Wait until the workers have taken every message."""
    until(lambda: not any(target.redis.llen(queue) for queue in TASKS), seconds=120, what="every message taken")
    target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM)


def _mutated(task: str, chance: random.Random) -> bytes:
    """Return a message that is wrong somewhere."""
    message = envelope(b"[[],{},{}]", headers(task), kind=chance.choice(_CONTENT_TYPES))
    for _ in range(chance.randint(1, 3)):
        part = chance.choice([message, message["headers"], message["properties"]])
        if isinstance(part, dict) and part:
            part[chance.choice(sorted(part))] = chance.choice(_VALUES)
        if not isinstance(message.get("headers"), dict) or not isinstance(message.get("properties"), dict):
            break
    raw = json.dumps(message).encode()
    if chance.random() < 0.2:
        at = chance.randrange(len(raw))
        raw = raw[:at] + bytes([chance.randrange(256)]) + raw[at + chance.randint(0, 3) :]
    return raw if chance.random() < 0.9 else chance.choice([b"[1,2]", b"null", b"5", b"", b'"x"', b"\xff\xfe", b"{}"])


@attack("malformed-messages", "thousands of invalid messages in every queue, then one genuine request")
def malformed_messages(target: Target, long: bool) -> Finding:
    chance = random.Random(1)
    count = 20_000 if long else 3000
    before = [worker.popen.pid for worker in target.workers]
    thrown = [(queue, raw) for queue, task in TASKS.items() for raw in poison.messages(task).values()]
    thrown += [(queue, _mutated(task, chance)) for queue, task in chance.choices(list(TASKS.items()), k=count)]
    with target.redis.pipeline(transaction=False) as pipe:
        for queue, raw in thrown:
            pipe.lpush(queue, raw)
        pipe.execute()
    begin = time.monotonic()
    state = target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM)["state"]
    seconds = time.monotonic() - begin
    _all_taken(target)
    alive = sum(worker.running for worker in target.workers)
    same = before == [worker.popen.pid for worker in target.workers] and alive == len(before)
    figure = (
        f"{len(thrown):,} messages: {alive} of {len(before)} workers live; the next render {state} in {seconds:.1f} s"
    )
    return Finding(same and state == "delivered" and seconds < 30, figure)


@attack("bodies-in-logs", "unknown tasks, yaml and garbled JSON whose bodies hold a customer's script")
def bodies_in_logs(target: Target, long: bool) -> Finding:
    script = json.dumps([[], {"request": {"script": MARKER}}, {}]).encode()
    for queue, task in TASKS.items():
        sent = [
            envelope(script, headers("billing.nothing")),
            envelope(script, headers(task), kind="application/x-yaml"),
            envelope(script, headers(task), kind="application/data"),
            envelope(script[:-9] + b"}]{{", headers(task)),
            envelope(script, headers(task, compression="application/x-gzip")),
            envelope(script, headers(task), **{"content-encoding": "utf-99"}),
            envelope(script, {"id": "attack"}),
        ]
        target.redis.lpush(queue, *[json.dumps(message) for message in sent])
    _all_taken(target)
    # The same through the channel of remote control, which no queue's check sees.
    broadcast = envelope(
        json.dumps({"method": MARKER, "arguments": {"script": MARKER}}).encode(), {}, kind="text/plain"
    )
    target.redis.publish("/0.celery.pidbox", json.dumps(broadcast))
    target.redis.publish("/0.celery.pidbox", json.dumps(envelope(b"{" + MARKER.encode(), {})))
    target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM)
    seen = [name for name, text in target.logs().items() if MARKER in text]
    lines = sum(text.count(MARKER) for text in target.logs().values())
    return Finding(not seen, f"{lines} times in the logs" + (f" ({', '.join(seen)})" if seen else ""))


@attack("code-in-messages", "pickle and yaml bodies that run a command where they are decoded")
def code_in_messages(target: Target, long: bool) -> Finding:
    proof = target.directory / "executed"
    pickle = b"cposix\nsystem\n(S'touch %s'\ntR." % str(proof).encode()
    yaml = f'!!python/object/apply:os.system ["touch {proof}"]'.encode()
    kinds = {
        "application/x-python-serialize": pickle,
        "pickle": pickle,
        "application/x-yaml": yaml,
        "text/x-yaml": yaml,
        "application/data": pickle,
    }
    for queue, task in TASKS.items():
        for kind, body in kinds.items():
            target.redis.lpush(queue, json.dumps(envelope(body, headers(task), kind=kind)))
    for kind, body in kinds.items():
        target.redis.publish("/0.celery.pidbox", json.dumps(envelope(body, {}, kind=kind)))
    _all_taken(target)
    ran = Path(proof).exists()
    return Finding(not ran, f"{len(kinds) * (len(TASKS) + 1)} messages, {'code ran' if ran else 'none ran code'}")


@attack("future-messages", "messages of a later version, which must be kept for it and not lost")
def future_messages(target: Target, long: bool) -> Finding:
    task = f"renderline.request_v{time.time_ns()}"
    target.redis.lpush(contract.REQUESTS_QUEUE, json.dumps(envelope(b"[[],{},{}]", headers(task))))
    _all_taken(target)
    kept = task in target.command("quarantine", "list", "--json").stdout
    can = "requeue" in target.command("quarantine", "--help").stdout
    figure = f"{'kept' if kept else 'lost'}, {'can' if can else 'cannot'} be requeued"
    return Finding(kept and can, figure)
