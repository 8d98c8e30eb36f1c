"""Endpoints that accept and never answer: the renders and hooks of the others must not wait for them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.receiver import HangingEndpoints
from benchmarks.attack.target import ATTACKER, VICTIM, Target, a_render
from harness import until

MOST_RATIO: Final = 1.5
"""How much slower the others may be at 95 of 100, beside `SLACK` seconds of noise."""
SLACK: Final = 0.75
_ROUNDS: Final = 20
PATIENCE: Final = 60.0
"""Seconds after which a hook counts as missing; it counts as if it had come then."""


@attack("hanging-hooks", "a batch of renders whose hooks call 50 endpoints that never answer")
def hanging_hooks(target: Target, long: bool) -> Finding:
    count = 5000 if long else 500
    quiet = _paces(target, "quiet")
    with _hanging_batch(target, count):
        busy = _paces(target, "busy")
    ratios = {name: busy[name] / max(quiet[name], 0.001) for name in quiet}
    held = all(busy[name] <= MOST_RATIO * quiet[name] + SLACK for name in quiet)
    parts = (f"{name} {quiet[name]:.2f} s -> {busy[name]:.2f} s" for name in ratios)
    return Finding(held, f"{count:,} hooks to 50 endpoints; the others' p95: {', '.join(parts)}")


@contextlib.contextmanager
def _hanging_batch(target: Target, count: int) -> Iterator[None]:
    """Let the attacker's renders end, with hooks that hang, while the block runs."""
    per_render = 10
    with HangingEndpoints(50) as endpoints:
        items = []
        for number in range(count // per_render):
            urls = [endpoints.urls[(number * per_render + turn) % 50] for turn in range(per_render)]
            hooks = [{"type": "http", "url": url} for url in urls]
            items.append({"request": a_render(hooks=hooks, priority="low")})
        ids: list[str] = []
        for first in range(0, len(items), 100):
            body = {"requests": items[first : first + 100]}
            answer = target.ask("POST", "/v1/renders/batch", body, tenant=ATTACKER)
            assert answer.status_code == 202, answer.text
            ids += [result["id"] for result in answer.json()["results"] if result["id"]]
        assert ids, "none of the hostile renders was accepted"
        ended = {"completed", "delivered", "undelivered"}
        until(
            lambda: target.record(ids[-1], tenant=ATTACKER)["state"] in ended,
            seconds=180,
            what="hostile hooks under way",
        )
        try:
            yield
        finally:
            for render_id in ids:
                target.ask("POST", f"/v1/renders/{render_id}/cancel", tenant=ATTACKER)
            _forget_hooks(target, ids)


def _forget_hooks(target: Target, ids: Sequence[str]) -> None:
    """Take the hostile hooks out of the lists, so that they do not slow the next attack down."""
    for render_id in ids:
        for index in range(10):
            target.ask("POST", f"/v1/renders/{render_id}/hooks/{index}/discard", tenant=ATTACKER)


def _paces(target: Target, name: str) -> dict[str, float]:
    """Return the seconds that 19 of 20 of the victim's submissions, renders and hooks take."""
    submissions: list[float] = []
    ends: list[float] = []
    hooks: list[float] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        path = f"/{name}-{number}-{time.time_ns()}"
        begin = time.time()
        request = a_render(hooks=[{"type": "http", "url": target.receiver.url(path)}])
        target.accepted(request, tenant=VICTIM)
        submitted = time.time() - begin
        try:
            got = until(lambda: target.receiver.got(path), seconds=PATIENCE, what="the victim's hook")[0]
        except AssertionError:
            return
        completed = got.record["times"].get("completed")
        with lock:
            submissions.append(submitted)
            hooks.append(got.at - _epoch(completed) if completed else got.at - begin)
            ends.append(got.at - begin)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(_ROUNDS)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    missing = _ROUNDS - len(ends)
    return {
        "submission": _p95(submissions, missing),
        "request to hook": _p95(ends, missing),
        "end to hook": _p95(hooks, missing),
    }


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _p95(seconds: Sequence[float], missing: int) -> float:
    ordered = sorted([*seconds, *[PATIENCE] * missing])
    return ordered[int(0.95 * len(ordered)) - 1]
