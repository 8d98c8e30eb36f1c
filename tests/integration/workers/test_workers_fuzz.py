"""A worker goes on working, and renders, among hundreds of odd entries in queues, channels and unacked messages.

FUZZ_MESSAGES=20000 and FUZZ_SEED=7 in the environment make a long run of it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from harness import USER_KEY, Process, Valkey, until
from harness.fork_server import ForkedWorker, forked_worker
from harness.forked_sandbox import ForkedSandbox
from harness.odd_messages import throw
from renderline.contract import QUEUES, render_id_for_key
from renderline.ledger.quarantine import Quarantine
from tests.integration.workers.poison import envelope

MESSAGES = int(os.environ.get("FUZZ_MESSAGES", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
REQUEST = {
    "kind": "project",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}


@pytest.fixture(scope="module")
def worker(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedWorker]:
    """One worker for the module: what is odd harms neither it nor what comes after."""
    directory = tmp_path_factory.mktemp("fuzz")
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
    sandbox = ForkedSandbox(directory / "sandbox.log", "--render-seconds", "0.1")
    environ = {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_BASE_URL": sandbox.url,
        "AISTUDIOS_APP_ID": "studio.acme",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "RENDERLINE_POLL_MIN": 0.1,
        "RENDERLINE_STORAGE_URL": (directory / "videos").as_uri(),
    }
    worker = forked_worker(directory / "worker.log", queues=",".join(QUEUES), environ=environ)
    try:
        worker.wait_ready()
        yield worker
    finally:
        worker.kill()
        sandbox.stop()


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[Redis]:
    """A client that leaves the worker's queues as they are."""
    with Redis.from_url(valkey.url, decode_responses=True) as client:
        yield client


def test_renders_are_finished_among_odd_messages(worker: Process, valkey: Valkey, redis: Redis) -> None:
    asked: list[str] = []
    with Celery("shop", broker=valkey.url) as shop:

        def ask(number: int) -> None:
            if number % max(1, MESSAGES // 4) == 0:
                key = f"among-{number}"
                shop.send_task(
                    "renderline.request", kwargs={"request": REQUEST, "key": key}, queue="requests", ignore_result=True
                )
                asked.append(render_id_for_key(key))

        put = throw(redis, MESSAGES, number=SEED, after_each=ask)
    assert put >= MESSAGES * 0.9
    assert len(asked) >= 3

    def finished() -> bool:
        states = [redis.hget(f"renderline:render:{one}", "state") for one in asked]
        return set(states) == {"delivered"} or not worker.running

    until(finished, what="every render delivered", seconds=60 + MESSAGES / 50)
    until(
        lambda: not worker.running or not any(redis.llen(queue) for queue in QUEUES),
        what="every queue empty",
        seconds=60 + MESSAGES / 50,
    )
    assert worker.running, worker.output()[-3000:]
    assert sum(Quarantine(redis).totals().seen.values()) > put / 4
    output = worker.output()
    assert "Traceback" not in output, output[output.index("Traceback") - 500 :][:3000]
    assert "Connection to broker lost" not in output
    assert "Unrecoverable error" not in output


NO_COMMANDS: list[Any] = [
    {"method": "ping", "reply_to": {"exchange": "", "routing_key": "renderline:stolen"}},
    {"method": "ping", "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": "renderline:stolen"}},
    {"method": "ping", "pattern": "(a|a|b?)*" * 9 + "!", "matcher": "pcre"},
    {"method": "ping", "destination": 5},
    {"method": "query_task", "arguments": {"five": 5}},
    ["ping"],
]


def test_a_broadcast_that_is_no_command_of_celerys_does_nothing(worker: Process, valkey: Valkey, redis: Redis) -> None:
    until(lambda: redis.pubsub_numpat(), what="the worker listens")
    # What the test before left there is for the worker alone: kombu's own client, which asks below, fails at it.
    redis.delete("unacked", "unacked_index")
    before = len(worker.output())
    for command in NO_COMMANDS:
        body = base64.b64encode(json.dumps(command).encode()).decode()
        redis.publish("/0.celery.pidbox", json.dumps({**envelope([]), "headers": {"clock": 1}, "body": body}))
    with Celery("shop", broker=valkey.url) as shop:
        # A later command on the same channel is answered, so these were taken.
        until(lambda: shop.control.ping(timeout=1.0) or not worker.running, what="taken")
    assert worker.running
    assert not redis.keys("renderline:stolen*")
    output = worker.output()[before:]
    assert "Traceback" not in output
    ignored = output.count("broadcast ignored") + output.count("remote control command failed")
    assert ignored == len(NO_COMMANDS)
