"""Endpoints that accept and never answer: the renders and hooks of the others must not wait for them."""

from __future__ import annotations

from typing import Final

from benchmarks import hanging_endpoints
from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import QUEUE_LIMIT, READ_BY_NOBODY, Target, a_render
from harness import until

SLACK: Final = 0.25
"""Seconds of noise beside the ratio that `hanging_endpoints` allows: phases of milliseconds vary by more than that."""


@attack("hanging-hooks", "thousands of hooks of one tenant to 50 endpoints that never answer")
def hanging_hooks(target: Target, long: bool) -> Finding:
    plan = hanging_endpoints.Plan() if long else hanging_endpoints.Plan(hooks=2000, samples=40)
    found = hanging_endpoints.run(lambda _: None, plan)
    without, beside = found["without"], found["with"]
    held = all(beside[name] <= hanging_endpoints.TARGET * without[name] + SLACK for name in without)
    parts = (f"{name} {without[name]:.2f} -> {beside[name]:.2f} s" for name in without)
    return Finding(held, f"{plan.hooks:,} hooks to {plan.endpoints} endpoints; the other's p95: {', '.join(parts)}")


@attack("unread-queue", "celery hooks to a queue that nobody reads, until Redis is full")
def unread_queue(target: Target, long: bool) -> Finding:
    hooks = [{"type": "celery", "task": "billing.video_ready", "queue": READ_BY_NOBODY}] * 20
    key = target.new_key("sender")
    sent = 3 * QUEUE_LIMIT // len(hooks) + 1
    ids = []
    for _ in range(sent):
        answer = target.gateway.ask("POST", "/v1/renders", a_render(hooks=hooks), key=key)
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])

    def tried() -> bool:
        records = [target.gateway.ask("GET", f"/v1/renders/{one}", key=key).json() for one in ids]
        return all(hook["state"] != "pending" for record in records for hook in record["hooks"])

    until(tried, seconds=90, what="a try of every hook")
    waiting = target.redis.llen(READ_BY_NOBODY)
    # Each thread may send once more after it has looked.
    held = QUEUE_LIMIT <= waiting <= QUEUE_LIMIT + 32
    return Finding(held, f"{sent * len(hooks)} hooks: {waiting} messages wait, {QUEUE_LIMIT} allowed")
