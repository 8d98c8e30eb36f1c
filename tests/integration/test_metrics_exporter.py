"""Figures of a ledger with work in it, and the exporter of a worker."""

import urllib.request

import pytest

from harness import a_request, free_port
from harness.requests import record
from renderline.ledger import Ledger
from renderline.metrics import ledger_metrics as names
from renderline.metrics.exporter import Exporter
from renderline.metrics.ledger_reader import LedgerReader
from renderline.metrics.worker_metrics import WorkerMetrics


def fetched(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_what_holds_an_account_back_and_what_waits_is_read(redis):
    ledger = Ledger(redis)
    record(ledger, "1" * 32, a_request(), account="main")
    now = redis.time()[0]
    redis.hset("renderline:slot_limits", "main", 3)
    redis.sadd("renderline:slots:main", "a", "b")
    redis.sadd("renderline:paused", "main")
    redis.hset("renderline:circuit:main", mapping={"until": now + 10, "opened_at": now})
    redis.set("renderline:backoff:main", now + 30, px=30_000)
    redis.hset("renderline:hold:main", "reason", "no credit")
    redis.hset("renderline:account_status:main", mapping={"issued_at": now - 100, "expires_at": now - 10})
    redis.zadd("renderline:due:main", {"a": now - 40})
    redis.zadd("renderline:queued:submit.low:main/acme", {"x": now - 70})
    redis.sadd("renderline:lanes", "submit.low main/acme")
    redis.rpush("requests\x06\x166", "m")
    redis.rpush("billing", "m", "m")
    redis.zadd("renderline:hook_queues", {"billing.done@billing": now})
    # Keys of another type are left out; the rest is read.
    redis.set("renderline:dead_letters", "text")
    found = {(metric.name, labels): value for metric, labels, value in LedgerReader(ledger).read()}
    main = ("main",)
    exact = {
        (names.SLOTS_TAKEN.name, main): 2,
        (names.SLOTS_LIMIT.name, main): 3,
        (names.PAUSED.name, main): 1,
        (names.CIRCUIT_OPEN.name, main): 1,
        (names.HELD.name, main): 1,
        (names.QUEUE_MESSAGES.name, ("requests",)): 1,
        (names.QUEUE_MESSAGES.name, ("billing",)): 2,
        (names.RENDERS.name, ("accepted", "project", "main")): 1,
        (names.DEAD_LETTERS.name, ()): 0,
    }
    assert {key: found[key] for key in exact} == exact
    about = {
        (names.BACKOFF.name, main): 30,
        (names.TOKEN_AGE.name, main): 100,
        (names.TOKEN_EXPIRES.name, main): -10,
        (names.POLL_OVERDUE.name, main): 40,
        (names.QUEUE_OLDEST.name, ("poll",)): 40,
        (names.QUEUE_OLDEST.name, ("submit",)): 70,
        (names.QUEUE_OLDEST.name, ("hooks",)): 0,
    }
    assert {key: found[key] for key in about} == pytest.approx(about, abs=3)
    assert "acme" not in str(found)


def test_several_workers_of_a_machine_take_ports_one_after_the_other():
    first, second = Exporter(WorkerMetrics(accounts=["main"]).registry), Exporter(WorkerMetrics().registry)
    bind = f"127.0.0.1:{free_port()}"
    try:
        assert first.start(bind)
        assert second.start(bind)
        assert first.port != second.port
        assert 'renderline_transitions_total{account="main",state="failed"} 0.0' in fetched(first.port)
        assert "process_resident_memory_bytes" in fetched(second.port)
    finally:
        first.stop()
        second.stop()


@pytest.mark.parametrize("bind", ["192.0.2.1:9464", "nowhere.invalid:9464"])
def test_an_address_that_cannot_be_had_costs_the_metrics_alone(bind):
    assert Exporter(WorkerMetrics().registry).start(bind) is False
