"""Bodies that cost the gateway more than their sender: many small values, many at once, deep nesting."""

from __future__ import annotations

import threading
import time
from typing import Final

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.connections import honest_calls
from benchmarks.attack.measurements import measure
from benchmarks.attack.target import ATTACKER, Gateway, Target

_MIB: Final = 1 << 20
MOST_GROWTH: Final = 128 * _MIB
"""Bytes by which the gateway's memory may grow for one body of 8 MiB."""


def _post(gateway: Gateway, raw: bytes, key: str, path: str = "/v1/renders/batch") -> requests.Response:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{gateway.url}{path}", data=raw, headers=headers, timeout=60)


def _status(gateway: Gateway, raw: bytes, key: str) -> int:
    try:
        return _post(gateway, raw, key).status_code
    except requests.RequestException:
        # Refused before the body was read.
        return 0


def batch_of(inner: bytes, size: int = 8 * _MIB - 4096) -> bytes:
    """Return a batch of about `size` bytes that repeats `inner`."""
    count = size // (len(inner) + 1)
    return b'{"requests": [' + b",".join([inner] * count) + b"]}"


@attack("batch-of-empty-lists", "one batch of 8 MiB that holds millions of empty lists")
def batch_of_empty_lists(target: Target, long: bool) -> Finding:
    worst, slowest, answers = 0, 0.0, []
    forms = {
        "[]": batch_of(b"[]"),
        "{}": batch_of(b"{}"),
        "numbers": batch_of(b"1"),
        "one item of []": b'{"requests": [{"request": {"metadata": [' + b",".join([b"[]"] * 2_700_000) + b"]}}]}",
    }
    for form, raw in forms.items():
        with target.another_gateway("bodies", threads=8) as gateway:
            before = gateway.memory()
            begin = time.monotonic()
            answers.append(f"{form} {_status(gateway, raw, target.keys[ATTACKER])}")
            slowest = max(slowest, time.monotonic() - begin)
            worst = max(worst, gateway.memory() - before)
    figure = f"{worst / _MIB:.0f} MiB and {slowest:.1f} s at most; answers {', '.join(answers)}"
    return Finding(worst <= MOST_GROWTH and slowest <= 1.5, figure)


@attack("concurrent-batches", "32 batches of 8 MiB at the same time")
def concurrent_batches(target: Target, long: bool) -> Finding:
    raw = batch_of(b'{"request": {"kind": "export", "project_id": "111111111111111111111111"}}')
    statuses: list[int] = []
    with target.another_gateway("batches") as gateway:
        before = gateway.memory()
        calls = honest_calls(target)
        threads = [
            threading.Thread(target=lambda: statuses.append(_status(gateway, raw, target.keys[ATTACKER])))
            for _ in range(32)
        ]
        for thread in threads:
            thread.start()
        health = measure(
            [lambda: requests.get(f"{gateway.url}/healthz", timeout=5), *calls[2:]],
            seconds=6,
        )
        for thread in threads:
            thread.join()
        grown = gateway.memory() - before
    figure = (
        f"{grown / _MIB:.0f} MiB; honest calls {health}; {statuses.count(429) + statuses.count(503)} refused at once"
    )
    return Finding(grown <= 4 * MOST_GROWTH and health.p95 <= 1.0, figure)


@attack("deep-json", "bodies nested as deep as their size allows, and numbers of a million digits")
def deep_json(target: Target, long: bool) -> Finding:
    depth = 400_000
    bodies = [
        b"[" * depth,
        b"[" * depth + b"]" * depth,
        b'{"a":' * (depth // 2) + b"1" + b"}" * (depth // 2),
        b'{"kind": ' + b"9" * 1_000_000 + b"}",
        b'{"kind": NaN}',
        b'{"kind": "\\ud800"}',
        b"\xff\xfe{",
    ]
    begin = time.monotonic()
    key = target.keys[ATTACKER]
    statuses = [_post(target.gateway, body, key, "/v1/renders").status_code for body in bodies]
    seconds = time.monotonic() - begin
    refused = all(400 <= status < 500 for status in statuses)
    return Finding(refused and seconds < 5, f"{len(bodies)} bodies: {sorted(set(statuses))} in {seconds:.1f} s")
