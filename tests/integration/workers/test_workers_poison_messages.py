"""Malformed messages: the worker that takes one goes on working, and the message is kept in quarantine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from harness import USER_KEY, Valkey, a_request, free_port, until
from harness.fork_server import ForkedWorker, forked_worker
from harness.processes import Process
from renderline.contract import QUEUES, render_id_for_key
from renderline.ledger.quarantine import Quarantine
from tests.integration.workers.poison import RENDER, SECRET, envelope, mutants, table, task
from workers.message_check import InvalidMessage, check_task

QUARANTINE = "renderline:quarantine"
STREAMS = (QUARANTINE, "renderline:quarantine_requests")


class Shared:
    """A worker that tests use one after the other; another one if it does not run any more."""

    def __init__(self, valkey: Valkey, directory: Path) -> None:
        self._valkey, self._directory = valkey, directory
        self.workers: list[ForkedWorker] = []

    def worker(self) -> ForkedWorker:
        if not self.workers or not self.workers[-1].running:
            log = self._directory / f"worker-{len(self.workers)}.log"
            self.workers.append(forked_worker(log, queues=",".join(QUEUES), environ=worker_environ(self._valkey)))
            self.workers[-1].wait_ready()
        return self.workers[-1]


@pytest.fixture(scope="module")
def shared(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
    shared = Shared(valkey, tmp_path_factory.mktemp("shared"))
    yield shared
    for worker in shared.workers:
        worker.kill()


@pytest.fixture
def redis(valkey: Valkey) -> Iterator[Redis]:
    """A client of a Valkey with no quarantine, where the shared worker's queues stay as they are."""
    with Redis.from_url(valkey.url, decode_responses=True) as client:
        for name in client.keys("renderline:quarantine*"):
            client.delete(name)
        yield client


@pytest.fixture
def worker(shared: Shared, redis: Redis) -> ForkedWorker:
    """A worker without a vendor. It can accept requests, which shows that it works."""
    worker = shared.worker()
    worker.log.write_text("")
    return worker


@pytest.fixture
def start_alone(shared: Shared, start_worker: Any) -> Any:
    """Start a worker that alone takes the messages."""
    for worker in shared.workers:
        worker.kill()
    return start_worker


def worker_environ(valkey: Valkey) -> dict[str, str]:
    return {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "AISTUDIOS_APP_ID": "studio.acme",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "RENDERLINE_WORKER_CONCURRENCY": "4",
    }


def put(redis: Redis, queue: str, raw: str | bytes) -> None:
    redis.execute_command("LPUSH", queue, raw)


def works_on(worker: Process, valkey: Valkey, redis: Redis, about: str) -> None:
    """Assert that the same process accepts a request, sent after everything else."""
    key = f"after {about}"
    with Celery("shop", broker=valkey.url) as shop:
        avatar = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
        request = {"kind": "project", "scenes": [{"script": "Hello.", "avatar": avatar}]}
        shop.send_task(
            "renderline.request", kwargs={"request": request, "key": key}, queue="requests", ignore_result=True
        )
    one = f"renderline:render:{render_id_for_key(key)}"
    until(lambda: redis.exists(one) or worker.popen.poll() is not None, what="request accepted")
    assert worker.popen.poll() is None, worker.output()[-2000:]
    assert redis.exists(one)


def taken(redis: Redis) -> bool:
    return not any(redis.llen(queue) for queue in QUEUES)


@pytest.mark.parametrize("what", ["a number", "timelimit a text", "not JSON", "body a number"])
def test_one_odd_message_does_not_stop_a_worker(worker: Process, valkey: Valkey, redis: Redis, what: str) -> None:
    put(redis, "requests", dict(table())[what])
    works_on(worker, valkey, redis, what)
    until(lambda: redis.xlen(QUARANTINE) == 1, what="quarantined")


def test_no_message_stops_a_worker_and_none_is_lost(worker: Process, valkey: Valkey, redis: Redis) -> None:
    poison = dict(table())
    for number, raw in enumerate(poison.values()):
        put(redis, QUEUES[number % len(QUEUES)], raw)
    until(lambda: taken(redis) or worker.popen.poll() is not None, what="all taken")
    works_on(worker, valkey, redis, "the table")
    until(lambda: sum(map(redis.xlen, STREAMS)) >= len(poison), what="all quarantined")
    entries = [
        fields
        for stream in STREAMS
        for _, fields in redis.execute_command("XRANGE", stream, "-", "+", NEVER_DECODE=True)
    ]
    kept = {fields[b"raw"] for fields in entries}
    sent = {raw if isinstance(raw, bytes) else raw.encode() for raw in poison.values()}
    assert kept == sent
    until(lambda: not any(tag.startswith("tag-") for tag in redis.hkeys("unacked")), what="acknowledged")
    assert SECRET not in worker.output()
    assert worker.output().count("message quarantined") == len(poison)
    assert "Traceback" not in worker.output()


def test_hundreds_of_mutilated_messages_do_not_stop_a_worker(worker: Process, valkey: Valkey, redis: Redis) -> None:
    for number, raw in enumerate(mutants(400, seed=7)):
        put(redis, QUEUES[number % len(QUEUES)], raw)
    until(lambda: taken(redis) or worker.popen.poll() is not None, what="all taken")
    works_on(worker, valkey, redis, "the mutants")
    assert redis.xlen(QUARANTINE) > 200
    assert "Unrecoverable error" not in worker.output()


def test_what_others_publish_to_all_workers_does_not_stop_one(worker: Process, valkey: Valkey, redis: Redis) -> None:
    until(lambda: redis.pubsub_numpat(), what="the worker listens")
    channels = redis.execute_command("PUBSUB", "CHANNELS", "*") or []
    for channel in [*channels, "/0.celery.pidbox", "/0.celeryev/worker.heartbeat", "/0.celeryev/task.x"]:
        for raw in ["5", "null", "[]", "{}", "garbage", b"\xff\xfe", json.dumps({"body": 5, "properties": {}})]:
            redis.publish(channel, raw)
    # A later message on the same channel is answered, so this one was taken.
    with Celery("shop", broker=valkey.url) as shop:
        until(lambda: shop.control.ping(timeout=1.0) or worker.popen.poll() is not None, what="taken")
    works_on(worker, valkey, redis, "the broadcast")


NEXT_VERSION = """
import sys
from renderline import contract
contract.MESSAGE_VERSION = 2
from celery.__main__ import main
sys.exit(main())
"""


def test_a_request_of_the_next_version_is_kept_whole_and_runs_after_the_upgrade(
    worker: Process, valkey: Valkey, redis: Redis, tmp_path: Any
) -> None:
    avatar = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
    request = {"kind": "project", "scenes": [{"script": SECRET * 5000, "avatar": avatar}]}
    with Celery("shop", broker=valkey.url) as shop:
        shop.send_task(
            "renderline.request",
            kwargs={"request": request, "key": "tomorrow"},
            queue="requests",
            headers={"renderline_version": 2},
        )
    store = Quarantine(redis)
    until(lambda: store.entries(), what="quarantined")
    (entry,) = store.entries()
    assert entry.whole
    assert entry.reason == "it is of message version 2; this version reads up to 1"
    assert entry.id.startswith("request-")
    works_on(worker, valkey, redis, "the next version")
    environ = worker_environ(valkey)
    worker.kill()
    command = [
        sys.executable,
        "-c",
        NEXT_VERSION,
        "-A",
        "workers.app",
        "worker",
        "-Q",
        "requests",
        "-n",
        "next@localhost",
    ]
    upgraded = Process(command, log=tmp_path / "next.log", environ=environ)
    try:
        accepted = f"renderline:render:{render_id_for_key('tomorrow')}"
        upgraded.wait_until(lambda: redis.exists(accepted), what="accepted after the upgrade")
    finally:
        upgraded.kill()
    assert not store.entries()


# -- workers of their own

LINKED = {"task": "billing.refund", "args": ["all"], "kwargs": {}, "options": {"queue": "billing"}}


@pytest.mark.parametrize(
    ("allowed", "sent"), [({}, True), ({"RENDERLINE_CELERY_HOOKS": "billing.ready@billing"}, False)]
)
def test_a_link_sends_no_task_past_the_list_of_celery_hooks(
    start_alone: Any, valkey: Valkey, redis: Redis, allowed: dict[str, str], sent: bool
) -> None:
    worker = start_alone(**worker_environ(valkey), **allowed)
    redis.delete("billing")
    for name in ("callbacks", "errbacks", "chain"):
        body = [[], {"request": {"kind": "x"} if name == "errbacks" else a_request(hooks=[])}, {name: [LINKED]}]
        put(redis, "requests", json.dumps(envelope(body, task("renderline.request", id=name), queue="requests")))
    works_on(worker, valkey, redis, f"links {sent}")
    until(lambda: redis.llen("billing") + redis.xlen(QUARANTINE) >= 3, seconds=15, what="sent or quarantined")
    assert redis.llen("billing") == (3 if sent else 0)
    reasons = [fields["reason"] for _, fields in redis.xrange(QUARANTINE)]
    assert all("RENDERLINE_CELERY_HOOKS" in reason for reason in reasons)


def test_a_worker_that_finds_rubbish_among_unacknowledged_messages_goes_on(
    start_alone: Any, valkey: Valkey, redis: Redis
) -> None:
    for tag, raw in {"t1": "garbage", "t2": "5", "t3": "[1,2]", "t4": '["x","",5]', "t5": '[5,"","requests"]'}.items():
        redis.hset("unacked", tag, raw)
        redis.zadd("unacked_index", {tag: 1})
    worker = start_alone(**worker_environ(valkey))
    works_on(worker, valkey, redis, "the rubbish")
    until(lambda: redis.xlen(QUARANTINE) == 5, what="quarantined")
    until(lambda: not {"t1", "t2", "t3", "t4", "t5"} & set(redis.hkeys("unacked")), what="taken off")


@pytest.mark.parametrize(
    ("queue", "name", "body"),
    [
        ("requests", "renderline.request", [[{}, None, None, "fourth"], {}, {}]),
        ("requests", "renderline.request", [[], {"request": {}, "tenant": "acme"}, {}]),
        ("requests", "renderline.request.v2", [[], {"request": {}}, {}]),
        ("submit", "renderline.submit", [[RENDER, "more"], {}, {}]),
    ],
)
def test_messages_with_unknown_arguments_are_not_run(queue: str, name: str, body: Any) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        check_task(envelope(body, task(name), queue=queue))
    assert refusal.value.kind in ("later version", "unknown task")
