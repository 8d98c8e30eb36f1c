"""What the producer module puts on the broker, and what it does when the broker goes away."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, signals
from redis import Redis

from harness import Valkey
from harness.ledger import accept_render
from renderline import contract, producer
from renderline.ledger import Ledger
from renderline.producer import enqueue_render, enqueue_renders, wait_for
from renderline.renders import FINAL

REQUEST = {"kind": "project", "scenes": [{"script": "A secret script."}]}


def restart(server: Valkey) -> None:
    assert server.process
    server.process.kill()
    server.start()


@pytest.fixture
def app(valkey: Valkey, redis: Redis) -> Iterator[Celery]:
    with Celery("billing", broker=valkey.url, backend=valkey.url) as found:
        yield found


def queued(redis: Redis) -> list[dict[str, Any]]:
    """Return the messages of the door's queue, oldest first, each with its decoded body."""
    messages = [json.loads(text) for text in reversed(redis.lrange(contract.REQUESTS_QUEUE, 0, -1))]
    return [{**one, "body": json.loads(base64.b64decode(one["body"]))} for one in messages]


def test_many_are_the_same_messages_as_one_by_one(app: Celery, redis: Redis) -> None:
    one = enqueue_render(app, REQUEST, key="A")
    many = enqueue_renders(app, [("A", REQUEST), REQUEST])
    assert many[0] == one == contract.render_id_for_key("A")
    single, keyed, bare = queued(redis)
    for message in (single, keyed, bare):
        headers = message["headers"]
        assert message["properties"]["correlation_id"] == headers.pop("id") == headers.pop("root_id")
        assert message["properties"]["delivery_info"] == {"exchange": "", "routing_key": "requests"}
        del message["properties"]
    assert single == keyed
    assert bare["body"][1] == {"request": REQUEST, "key": None}


def test_without_a_key_the_id_follows_from_the_message(app: Celery, redis: Redis) -> None:
    ids = [enqueue_render(app, REQUEST), *enqueue_renders(app, [REQUEST])]
    assert ids == [contract.render_id_for_message(message["headers"]["id"]) for message in queued(redis)]


def test_no_header_shows_the_request(app: Celery, redis: Redis) -> None:
    enqueue_render(app, REQUEST)
    enqueue_renders(app, [REQUEST])
    assert "secret" not in json.dumps([message["headers"] for message in queued(redis)])


def test_signals_of_publishing_are_sent_for_each(app: Celery, redis: Redis) -> None:
    seen: list[str] = []

    def note(sender: str, headers: dict[str, Any], **_: Any) -> None:
        headers["trace"] = f"trace-{len(seen)}"
        seen.append(sender)

    signals.before_task_publish.connect(note)
    try:
        enqueue_renders(app, [REQUEST] * 3)
    finally:
        signals.before_task_publish.disconnect(note)
    assert seen == [contract.REQUEST] * 3
    assert [message["headers"]["trace"] for message in queued(redis)] == ["trace-0", "trace-1", "trace-2"]


def test_more_than_a_chunk_from_an_iterator(app: Celery, redis: Redis) -> None:
    ids = enqueue_renders(app, ((f"k{number}", REQUEST) for number in range(1203)))
    assert ids == [contract.render_id_for_key(f"k{number}") for number in range(1203)]
    assert redis.llen(contract.REQUESTS_QUEUE) == 1203


def test_nothing_is_nothing(app: Celery) -> None:
    assert enqueue_renders(app, []) == []


def test_a_broker_that_was_away_between_two_calls(tmp_path: Path) -> None:
    # On a busy disk "everysec" puts off the very write, and the kill would take the message with it.
    always = Valkey(tmp_path, "--appendfsync", "always")
    with always as server, Celery("billing", broker=server.url) as app:
        enqueue_renders(app, [REQUEST])
        restart(server)
        ids = enqueue_renders(app, [("B", REQUEST), ("C", REQUEST)])
        with Redis.from_url(server.url, decode_responses=True) as client:
            # Twice under one id would be one render; here none came twice.
            assert [message["body"][1]["key"] for message in queued(client)] == [None, "B", "C"]
        assert len(ids) == 2


def test_waiting_outlives_the_broker(tmp_path: Path) -> None:
    seen_states: list[tuple[str, float]] = []
    with Valkey(tmp_path) as server, Celery("billing", broker=server.url) as app:
        render_id = contract.render_id_for_key("D")
        with Redis.from_url(server.url, decode_responses=True) as client:
            ledger = Ledger(client)
            accept(ledger, render_id)
            outcome: list[Any] = []

            def follow() -> None:
                outcome.append(wait_for(app, render_id, timeout=60, progress=lambda *seen: seen_states.append(seen)))

            waiting = threading.Thread(target=follow)
            waiting.start()
            while not seen_states:
                time.sleep(0.02)
            restart(server)
            ledger.fail(render_id, code="x", message="No.", origin="vendor")
            waiting.join(30)
    assert outcome[0].state == "failed"
    assert outcome[0].error == "No."
    assert [state for state, _ in seen_states] == ["accepted", "failed"]


def accept(ledger: Ledger, render_id: str) -> None:
    accept_render(ledger, render_id, account="default", deadline=60.0)


def test_waiting_ends_in_time(app: Celery, redis: Redis) -> None:
    with pytest.raises(TimeoutError, match="is not known"):
        wait_for(app, "f" * 32, timeout=0.2)
    accept(Ledger(redis), "e" * 32)
    with pytest.raises(TimeoutError, match="is accepted after"):
        wait_for(app, "e" * 32, timeout=0.2)


def test_it_knows_the_ends_of_a_render() -> None:
    # Written out there, because importing it must need the standard library alone.
    assert {state.value for state in FINAL} == producer._FINAL
