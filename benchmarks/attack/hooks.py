"""Endpoints that accept and never answer: the renders and hooks of the others must not wait for them."""

from __future__ import annotations

from typing import Final

from benchmarks import hanging_endpoints
from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import Target

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
