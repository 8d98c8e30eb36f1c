"""Hostile connections: they send slowly, or nothing, or never read; honest callers must not notice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.measurements import Latencies, measure
from benchmarks.attack.target import VICTIM, Target, a_render
from harness import call
from harness.hostile_clients import HostileClients

MOST_P95: Final = 1.0
"""Seconds that 95 of 100 honest calls may take meanwhile."""
STANDING: Final = 12.0
"""Seconds for which the connections stand while the honest callers are measured."""
LONGEST: Final = 75.0
"""Seconds within which the gateway must have ended each of these connections."""


def honest_calls(target: Target) -> list[Callable[[], requests.Response]]:
    """Return what must go on: a health probe, a vendor's webhook, and a call of the other tenant."""
    render_id = target.accepted(a_render(), tenant=VICTIM)
    webhook = target.project_of(render_id)["webhook_url"]
    target.ended(render_id, tenant=VICTIM)
    headers = {"Authorization": f"Bearer {target.keys[VICTIM]}"}
    return [
        lambda: call("GET", f"{target.gateway.url}/healthz", timeout=5),
        lambda: call("POST", webhook, json={"state": "draft", "progress": 5}, timeout=5),
        lambda: call("GET", f"{target.gateway.url}/v1/renders/{render_id}", headers=headers, timeout=5),
    ]


def _stand(target: Target, count: int, *kinds: str) -> Finding:
    calls = honest_calls(target)
    begin = time.monotonic()
    with HostileClients(target.gateway.port, each=count // len(kinds), kinds=kinds, again=False) as hostile:
        opened = hostile.opened.total()
        measured: Latencies = measure(calls, seconds=STANDING)
        while (left := opened - hostile.closed.total()) and time.monotonic() - begin < LONGEST:
            time.sleep(0.5)
        lasted = time.monotonic() - begin
    ended = f"all ended after {lasted:.0f} s" if not left else f"{left} still open after {lasted:.0f} s"
    held = measured.p95 <= MOST_P95 and not measured.failed and not left
    return Finding(held, f"{opened} connections: honest calls {measured}; {ended}")


@attack("slow-headers", "connections that send half a request's headers, and no more")
def slow_headers(target: Target, long: bool) -> Finding:
    return _stand(target, 500, "half a header")


@attack("dripped-headers", "connections that send headers a byte a second")
def dripped_headers(target: Target, long: bool) -> Finding:
    return _stand(target, 500, "dripped header")


@attack("dripped-bodies", "requests whose body comes a byte a second, or never")
def dripped_bodies(target: Target, long: bool) -> Finding:
    return _stand(target, 500, "dripped body", "unsent body")


@attack("unread-answers", "large answers that are asked for again and again and never read")
def unread_answers(target: Target, long: bool) -> Finding:
    return _stand(target, 500, "unread answer")


@attack("idle-connections", "connections that stay open after an answer and ask nothing more")
def idle_connections(target: Target, long: bool) -> Finding:
    return _stand(target, 900 if long else 500, "idle")
