"""Checks of the processes: workers, the queues that they consume, the sweep, gateway, Flower."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import requests
from celery import Celery
from redis import Redis

from config.settings import Settings
from renderline.capabilities import unconsumed_queues
from renderline.contract import QUEUES
from renderline.explanation.wording import counted
from renderline.ledger import Keys, Ledger
from renderline.ledger.clock import skews
from workers.cli.checks.result import CheckResult
from workers.liveness import ON_THIS_MACHINE

_START = "celery -A workers.app worker -Q"
_LONG = 10_000
_ANSWER_WITHIN = 1.5


def check(app: Celery, redis: Redis, settings: Settings, *, prefix: str) -> Iterator[CheckResult]:
    """Yield results for workers, queues, sweep, gateway and Flower. Asking the workers takes a second or two."""
    serving = _consumed(app)
    yield of_workers(serving, Ledger(redis, prefix=prefix).worker_versions())
    yield from of_clocks(skews(redis, sorted(serving), prefix=prefix))
    yield from of_queues(lengths(app), serving)
    yield of_consumers(Ledger(redis, prefix=prefix).capabilities())
    yield _sweep(redis, Keys(prefix).sweep, settings.sweep_every, workers=bool(serving))
    yield of_gateway(settings.gateway_bind)
    yield _flower(settings)


def _consumed(app: Celery) -> dict[str, set[str]]:
    """Return the queues that each live worker consumes."""
    answers = app.control.inspect(timeout=_ANSWER_WITHIN).active_queues() or {}
    return {worker: {queue["name"] for queue in queues} for worker, queues in answers.items()}


def lengths(app: Celery) -> dict[str, int]:
    """Return how many messages wait in each queue."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        return {queue: int(channel.queue_declare(queue=queue).message_count) for queue in QUEUES}


def of_workers(serving: Mapping[str, set[str]], versions: Mapping[str, str]) -> CheckResult:
    """Return the result on the workers that answered, with how many run each version, by name in `versions`."""
    if not serving:
        advice = f"start one: renderline run worker, or {_START} {','.join(QUEUES)}"
        return CheckResult("workers", "fail", "none answers: renders wait", advice)
    names = ", ".join(sorted(serving)[:5]) + (" ..." if len(serving) > 5 else "")
    counts = Counter(versions[name] for name in serving if name in versions)
    running = ", ".join(f"{count} of version {version}" for version, count in sorted(counts.items()))
    return CheckResult("workers", "ok", f"{len(serving)} answered: {names}" + (f"; {running}" if running else ""))


def of_clocks(ahead: Mapping[str, float]) -> Iterator[CheckResult]:
    """Yield a result for each worker whose clock differs from the server's by that many seconds."""
    for worker, seconds in ahead.items():
        side = "ahead of" if seconds > 0 else "behind"
        detail = f"{abs(seconds):.0f} s {side} the server's; renders are not affected, but times in logs are wrong"
        yield CheckResult(f"clock of {worker}", "warn", detail, "synchronise it with NTP")


def of_queues(lengths: Mapping[str, int], serving: Mapping[str, set[str]]) -> Iterator[CheckResult]:
    """Yield the result for each queue: its length, and how many workers consume it."""
    for queue, length in lengths.items():
        consumers = sum(queue in queues for queues in serving.values())
        consume = counted(consumers, "worker consumes", "workers consume")
        detail = f"{length} waiting, {consume} it"
        if not consumers:
            yield CheckResult(f"queue {queue}", "fail", detail, f"start one: {_START} {queue}")
        elif length > _LONG:
            yield CheckResult(f"queue {queue}", "warn", detail, "start more workers if it keeps growing")
        else:
            yield CheckResult(f"queue {queue}", "ok", detail)


def of_consumers(served: Collection[str]) -> CheckResult:
    """Return the result on the workers that say that messages reach them; `served` are their capabilities.

    A worker whose connection delivers nothing answers all the same, and says so here.
    """
    if unconsumed := unconsumed_queues(served):
        detail = f"no live worker takes messages of {', '.join(unconsumed)}"
        return CheckResult("consumers", "fail", detail, f"start one: {_START} {','.join(unconsumed)}")
    return CheckResult("consumers", "ok", "messages of every queue reach a worker")


def _sweep(redis: Redis, key: str, every: float, *, workers: bool) -> CheckResult:
    """Wait for a sweep: each one sets a key that expires shortly before the next."""
    give_up = time.monotonic() + (min(every * 2.5, 30.0) if workers else 0.0)
    while not redis.exists(key):
        if time.monotonic() >= give_up:
            advice = "every worker sweeps: start one, or read its log" if workers else "start a worker"
            return CheckResult("sweep", "fail", "no worker sweeps: lost messages are not sent again", advice)
        time.sleep(0.1)
    return CheckResult("sweep", "ok", f"within the last {every:g} s")


def of_gateway(bind: str) -> CheckResult:
    """Return the result on what answers at the gateway's address on this machine; it may run on another one."""
    host, _, port = bind.rpartition(":")
    url = f"http://{ON_THIS_MACHINE.get(host, host)}:{port}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{url}/healthz", timeout=3, allow_redirects=False)
            ours = answer.status_code == 200 and answer.json() == {"status": "ok"}
    except requests.ConnectionError:
        return CheckResult("gateway", "ok", f"none on this machine ({bind})")
    except requests.RequestException:
        ours = False
    if ours:
        return CheckResult("gateway", "ok", url)
    advice = "set RENDERLINE_GATEWAY_BIND to a free address, for the gateway and for this command"
    return CheckResult("gateway", "warn", f"another program answers at {url}: send it no API key", advice)


def _flower(settings: Settings) -> CheckResult:
    if settings.flower_basic_auth is None:
        return CheckResult("flower", "ok", "not used here (FLOWER_BASIC_AUTH is unset)")
    url = f"http://{settings.flower_address}:{settings.flower_port}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{url}/healthcheck", timeout=3)
    except requests.RequestException as error:
        return CheckResult("flower", "warn", f"{url}: {type(error).__name__}", "start it: renderline run flower")
    if answer.status_code != 200:
        return CheckResult("flower", "warn", f"{url}: answers {answer.status_code}", "read its log")
    return CheckResult("flower", "ok", url)
