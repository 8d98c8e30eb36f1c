"""What other processes may ask of a worker over the broker: reading it, and nothing that changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from harness import USER_KEY, Valkey, Worker

PASSWORD = "broker-password-marker"
HOOK_KEY = "bWFya2VyLW9mLXRoZS1ob29rLXNlY3JldC1ub3Qtc2VlbiE="
MARKERS = (PASSWORD, USER_KEY, HOOK_KEY)

CHANGES: dict[str, dict[str, Any]] = {
    "shutdown": {},
    "pool_grow": {"n": 1},
    "pool_shrink": {"n": 1},
    "pool_restart": {},
    "autoscale": {"max": 9, "min": 9},
    "rate_limit": {"task_name": "renderline.submit", "rate_limit": "1/h"},
    "time_limit": {"task_name": "renderline.submit", "hard": 1, "soft": 1},
    "add_consumer": {"queue": "other"},
    "cancel_consumer": {"queue": "requests"},
    "revoke": {"task_id": "some-task"},
    "terminate": {"signal": "KILL", "task_id": "some-task"},
    "revoke_by_stamped_headers": {"headers": {"a": "b"}},
    "election": {"id": "1", "topic": "task", "action": {"task": "renderline.poll"}},
    "disable_events": {},
    "heartbeat": {},
    "objgraph": {},
    "memdump": {},
    "memsample": {},
}
READS = ("ping", "stats", "conf", "report", "active", "active_queues", "registered", "reserved", "scheduled", "revoked")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey with a password, so that what shows it can be seen."""
    with Valkey(tmp_path_factory.mktemp("locked"), "--requirepass", PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def start(locked: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(**environ: str) -> Worker:
        settings = {
            "REDIS_URL": url(locked),
            "AISTUDIOS_BASE_URL": "http://127.0.0.1:9",
            "AISTUDIOS_APP_ID": "studioV3.tests",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": f"whsec_{HOOK_KEY}",
            **environ,
        }
        log = tmp_path_factory.mktemp("worker") / f"worker-{len(started)}.log"
        started.append(Worker(log, queues="requests,submit,poll,hooks", environ=settings))
        started[-1].wait_ready()
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture(scope="module")
def worker(start: Callable[..., Worker]) -> Worker:
    return start()


@pytest.fixture(scope="module")
def app(locked: Valkey) -> Iterator[Celery]:
    app = Celery("operator", broker=url(locked), backend=url(locked), set_as_current=False)
    yield app
    app.close()


def url(server: Valkey) -> str:
    return f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0"


def ask(app: Celery, command: str, **arguments: Any) -> Any:
    """Return the answer of the one worker."""
    answers = app.control.broadcast(command, arguments=arguments, reply=True, timeout=10, limit=1)
    assert len(answers) == 1, f"{command}: {answers}"
    (answer,) = answers[0].values()
    return answer


@pytest.mark.parametrize("command", CHANGES)
def test_a_command_that_changes_a_worker_is_refused(worker: Worker, app: Celery, command: str) -> None:
    before = ask(app, "stats")["pool"], ask(app, "active_queues"), ask(app, "revoked")
    answer = ask(app, command, **CHANGES[command])
    assert "RENDERLINE_REMOTE_CONTROL" in answer["error"]
    assert (ask(app, "stats")["pool"], ask(app, "active_queues"), ask(app, "revoked")) == before
    lines = [line for line in worker.output().splitlines() if f"command={command} " in f"{line} "]
    assert len(lines) == 1
    assert "RENDERLINE_REMOTE_CONTROL" in lines[0]
    assert worker.running


def test_a_refused_command_shows_no_argument_in_the_log(worker: Worker, app: Celery) -> None:
    ask(app, "revoke", task_id="text-of-a-stranger\nforged line")
    assert "text-of-a-stranger" not in worker.output()


@pytest.mark.parametrize("command", READS)
def test_reading_a_worker_is_answered_without_secrets(worker: Worker, app: Celery, command: str) -> None:
    answer = ask(app, command)
    assert not (isinstance(answer, dict) and "error" in answer), answer
    assert not [marker for marker in MARKERS if marker in str(answer)]


def test_a_worker_tells_a_starting_one_nothing_and_takes_no_revocations_from_it(worker: Worker, app: Celery) -> None:
    ask(app, "hello", from_node="other@host", revoked=["some-task"])
    assert ask(app, "revoked") == []


def test_workers_do_not_listen_to_the_events_of_others(worker: Worker, locked: Valkey) -> None:
    """Celery's gossip would: it runs any task that an elected event names."""
    with Redis.from_url(url(locked)) as client:
        # One pattern: the channel of remote control.
        assert client.pubsub_numpat() == 1


def test_what_was_asked_for_is_done(start: Callable[..., Worker], worker: Worker, app: Celery) -> None:
    worker.stop()
    asked = start(RENDERLINE_REMOTE_CONTROL="all")
    assert ask(app, "add_consumer", queue="other") == {"ok": "add consumer other"}
    app.control.shutdown()
    assert asked.popen.wait(60) == 0
