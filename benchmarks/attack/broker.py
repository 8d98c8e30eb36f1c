"""The broker as a boundary: what a producer's Redis user may do, and commands that end workers."""

from __future__ import annotations

import time

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import VICTIM, Target, a_render


@attack("remote-control", "remote-control commands that end or disable a worker")
def remote_control(target: Target, long: bool) -> Finding:
    count = len(target.workers)
    for command, arguments in {
        "rate_limit": {"task_name": "renderline.submit", "rate_limit": "1/h"},
        "cancel_consumer": {"queue": "submit"},
        "pool_shrink": {"n": 100},
        "disable_events": {},
        "revoke": {"task_id": "attack", "terminate": True},
        "shutdown": {},
    }.items():
        target.app.control.broadcast(command, arguments=arguments)
        time.sleep(0.2)
    time.sleep(3)
    alive = sum(worker.running for worker in target.workers)
    state = "not tried"
    if alive == count:
        state = target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM, seconds=30)["state"]
    answers = len(target.app.control.ping(timeout=3) or ())
    figure = f"{alive} of {count} workers live, next render {state}, {answers} answer a ping"
    return Finding(alive == count and state == "delivered" and answers == count, figure)
