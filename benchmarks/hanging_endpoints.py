"""A hostile tenant's hooks: thousands, to endpoints that accept and never answer. What do the others notice?

`python -m benchmarks.hanging_endpoints` measures the phases of another tenant's renders without the hostile hooks and
with them: from the acceptance to the submission, to the completion, and to the hook that its endpoint got.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from redis import Redis

from benchmarks.result import Say, quantile
from benchmarks.system import Stub, System, order
from harness import HOOK_SECRET, until
from renderline.producer import enqueue_render, enqueue_renders

HOOKS_EACH = 20
"""Hooks of one hostile render: as many as a request may have."""
TARGET = 1.5
"""The most that the others' p95 may grow."""


@dataclass(frozen=True)
class Plan:
    """How many hostile hooks and endpoints, and how many renders of another tenant are measured, one each `every`."""

    hooks: int = 5_000
    endpoints: int = 50
    samples: int = 100
    every: float = 0.25
    patience: float = 60.0
    """Seconds after the last sample; what has not happened by then counts as if it happened then."""
    tenants: tuple[str, str] = ("mallory", "alice")
    """The hostile one and the other."""


_STATES = ("accepted", "rendering", "completed", "delivered")


def run(say: Say, plan: Plan = Plan()) -> dict[str, Any]:
    """Measure without and with the hostile hooks; returns p95 by phase, in seconds, and their ratios."""
    with ExitStack() as parts:
        system = parts.enter_context(System.open())
        stub = system.stub("--seconds", "1-1")
        environ = _tenants(system, plan)
        system.workers(1, stub.url, RENDERLINE_POLL_MIN="1", **environ)
        app = Celery("producer", broker=system.valkey.url)
        parts.callback(app.close)
        redis = parts.enter_context(Redis.from_url(system.valkey.url, decode_responses=True))
        before = _phases(app, redis, stub, plan, "before")
        say(f"p95 without: {_shown(before)}")
        endpoints = parts.enter_context(hanging(plan.endpoints))
        hostile = _hostile(app, plan, endpoints)
        until(lambda: _in(redis, hostile, "completed"), seconds=120, what="the hostile renders to complete")
        say(f"{len(hostile)} hostile renders owe {len(hostile) * HOOKS_EACH} hooks to {len(endpoints)} endpoints")
        after = _phases(app, redis, stub, plan, "after")
        say(f"p95 with: {_shown(after)}")
        ratios = {name: after[name] / before[name] for name in before}
        say(f"ratios: {_shown(ratios)}")
    return {"without": before, "with": after, "ratios": ratios, "held": max(ratios.values()) <= TARGET}


@contextmanager
def hanging(count: int) -> Iterator[list[str]]:
    """Yield the URLs of endpoints on hosts of their own: they accept connections and requests, and never answer."""
    with ExitStack() as parts:
        urls = []
        for number in range(count):
            one = parts.enter_context(socket.socket())
            # Nothing takes the connections: the kernel completes them, and keeps what arrives.
            one.bind((f"127.0.1.{number + 1}", 0))
            one.listen(4096)
            urls.append("http://{}:{}/".format(*one.getsockname()))
        yield urls


def _tenants(system: System, plan: Plan) -> dict[str, str]:
    """Write the tenants' policies; returns the settings that name them."""
    file = system.directory / "tenants.toml"
    file.write_text(
        "".join(f'[[tenant]]\nname = "{name}"\nhook_secrets = ["{HOOK_SECRET}"]\n' for name in plan.tenants)
    )
    file.chmod(0o600)
    return {"RENDERLINE_TENANTS": str(file), "RENDERLINE_BROKER_TENANTS": ",".join(plan.tenants)}


def _hostile(app: Celery, plan: Plan, endpoints: list[str]) -> list[str]:
    count = plan.hooks // HOOKS_EACH
    requests = []
    for number in range(count):
        first = number * HOOKS_EACH
        urls = [endpoints[(first + place) % len(endpoints)] for place in range(HOOKS_EACH)]
        hooks = [{"type": "http", "url": url} for url in urls]
        requests.append({**order(number, ""), "name": "Hostile", "hooks": hooks})
    return enqueue_renders(app, requests, tenant=plan.tenants[0])


def _in(redis: Redis, ids: list[str], state: str) -> bool:
    with redis.pipeline(transaction=False) as pipe:
        for one in ids:
            pipe.hget(f"renderline:render:{one}", "state")
        return set(pipe.execute()) == {state}


def _phases(app: Celery, redis: Redis, stub: Stub, plan: Plan, name: str) -> dict[str, float]:
    """Return the p95 of each phase of the other tenant's renders, in seconds."""
    ids, begin = [], time.monotonic()
    for number in range(plan.samples):
        time.sleep(max(0.0, begin + number * plan.every - time.monotonic()))
        request = {**order(number, f"{stub.url}/hook"), "name": name}
        ids.append(enqueue_render(app, request, tenant=plan.tenants[1]))
    give_up = time.monotonic() + plan.patience
    while not _in(redis, ids, "delivered") and time.monotonic() < give_up:
        time.sleep(0.2)
    now = time.time()
    phases: dict[str, list[float]] = {"submission": [], "poll": [], "hook": []}
    for one in ids:
        found = redis.hmget(f"renderline:render:{one}", *(f"t:{state}" for state in _STATES))
        # What has not happened counts as if it happened now.
        times = [float(at) if at else now for at in found]
        for phase, begun, ended in zip(phases, times[:-1], times[1:], strict=True):
            phases[phase].append(ended - begun)
    return {phase: quantile(values, 0.95) for phase, values in phases.items()}


def _shown(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in figures.items())


if __name__ == "__main__":
    print(json.dumps(run(print), indent=2))
