"""The steps of the demo: start the processes, send the requests through Celery, follow them to their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
from celery import Celery
from redis import Redis, RedisError

from renderline import contract
from renderline.ledger import Ledger
from renderline.renders import FINAL
from workers.demo.deployment import Deployment
from workers.demo.scenario import DemoRender
from workers.demo.screen import Record, Screen
from workers.processes.group import Processes

# Generous: on a busy laptop seven Python processes start slowly.
_START_SECONDS = 60.0


class DemoFailed(RuntimeError):
    """A step of the demo failed; the text says which."""


def start_processes(processes: Processes, deployment: Deployment) -> None:
    """Start Redis and the sandbox, then the others; returns when all servers answer."""
    processes.start("redis", "sandbox")
    _await(processes, "Redis", lambda: _pings(deployment.redis_url))
    _await(processes, "the sandbox", lambda: ask(f"{deployment.sandbox_url}/_sandbox/counts").ok)
    processes.start("worker", "gateway")
    # For its links to the board. The others would take the vendor's webhooks there.
    processes.start("flower", RENDERLINE_PUBLIC_URL=deployment.gateway_url)
    _await(processes, "the gateway", lambda: ask(f"{deployment.gateway_url}/readyz").ok)
    _await(processes, "Flower", lambda: ask(f"{deployment.flower_url}healthcheck").ok)


def ask(url: str, *, auth: tuple[str, str] | None = None) -> requests.Response:
    """Call one of our own servers, without a proxy from the environment."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, auth=auth, timeout=5)


def _pings(url: str) -> bool:
    with Redis.from_url(url) as redis:
        return bool(redis.ping())


def _await(processes: Processes, what: str, answers: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        processes.raise_if_any_ended()
        try:
            if answers():
                return
        except (requests.RequestException, RedisError):
            pass
        time.sleep(0.05)
    raise DemoFailed(f"{what} did not answer within {_START_SECONDS:.0f} s")


def producer(redis_url: str) -> Celery:
    """Return the Celery application of another service: it knows only the broker."""
    return Celery("demo", broker=redis_url, backend=redis_url, set_as_current=False)


def enqueue(app: Celery, renders: Sequence[DemoRender], processes: Processes) -> list[str]:
    """Send every request by task name, the first one twice; returns the render ids in order.

    Raises DemoFailed if a request is refused, not accepted in time, or the repeated one gets another id.
    """
    sent = [_send(app, render) for render in (*renders, renders[0])]
    ids = [_result(result, processes) for result in sent]
    if ids[-1] != ids[0]:
        raise DemoFailed("the same key gave two renders")
    return ids[:-1]


def _send(app: Celery, render: DemoRender) -> Any:
    call = {"request": render.request, "key": f"demo-{render.key}"}
    return app.send_task(contract.REQUEST, kwargs=call, queue=contract.REQUESTS_QUEUE)


def _result(result: Any, processes: Processes) -> str:
    give_up = time.monotonic() + _START_SECONDS
    while not result.ready():
        processes.raise_if_any_ended()
        if time.monotonic() > give_up:
            raise DemoFailed(f"no worker accepted a request within {_START_SECONDS:.0f} s")
        time.sleep(0.02)
    if result.failed():
        raise DemoFailed(f"a request was refused: {result.result}")
    return str(result.result)


def follow(
    ledger: Ledger, ids: Sequence[str], screen: Screen, processes: Processes, *, seconds: float
) -> list[Mapping[str, Any]]:
    """Show the renders until each has ended; returns their records. Raises DemoFailed after `seconds`."""
    give_up = time.monotonic() + seconds
    while True:
        records: list[Record | None] = list(ledger.records(ids))
        screen.show(records)
        ended = [record for record in records if record is not None and record["state"] in FINAL]
        if len(ended) == len(ids):
            return ended
        processes.raise_if_any_ended()
        if time.monotonic() > give_up:
            raise DemoFailed(f"{len(ids) - len(ended)} of {len(ids)} renders had not ended after {seconds:.0f} s")
        time.sleep(0.15)
