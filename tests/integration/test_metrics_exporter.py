"""Figures of a ledger with work in it, and the exporter of a worker."""

import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from harness import a_request, free_port
from harness.requests import record
from renderline.acceptance import ledger_entry
from renderline.ledger import Ledger
from renderline.metrics import ledger_metrics as names
from renderline.metrics.exporter import Exporter
from renderline.metrics.ledger_reader import LedgerReader
from renderline.metrics.worker_metrics import WorkerMetrics
from renderline.requests import load_request
from workers.liveness import ask


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


def an_entry(id):
    request = load_request({**a_request(), "account": "main"}, accounts=["main"], hook_kinds={}, max_bytes=1 << 20)
    return ledger_entry(id, request, deadline=600.0)


def waiting(ledger):
    samples = LedgerReader(ledger).read()
    return {labels[0]: value for metric, labels, value in samples if metric is names.SUBMISSION_WAITING}


def backdate(redis, key, id, *, seconds):
    """Make a member of a sorted set older, as if it had been there that much longer."""
    assert redis.zscore(key, id) is not None, redis.zrange(key, 0, -1, withscores=True)
    redis.zincrby(key, -seconds, id)


def test_a_submission_waits_for_a_worker_from_its_acceptance_and_not_from_its_turn_in_the_queue(redis):
    ledger = Ledger(redis)
    ids = [f"{number:032x}" for number in range(12)]
    for id in ids:
        ledger.accept(replace(an_entry(id), tenant="acme"))
    assert waiting(ledger)["main"] < 5
    parked = redis.zrange("renderline:parked:main/acme", 0, -1)
    assert len(parked) == 4, "eight have their turn in the queue"
    backdate(redis, "renderline:parked:main/acme", parked[0], seconds=500)
    backdate(redis, "renderline:queued:submit.normal:main/acme", ids[0], seconds=100)
    assert waiting(ledger)["main"] == pytest.approx(500, abs=5)


@pytest.mark.parametrize("why", ["paused", "circuit", "backoff", "hold", "slots", "rate"])
def test_a_submission_that_waits_for_its_account_asks_for_no_worker(redis, why):
    ledger, now = Ledger(redis), redis.time()[0]
    for number in range(9):
        record(ledger, f"{number:032x}", a_request(), account="main")
    (parked,) = redis.zrange("renderline:parked:main", 0, -1)
    backdate(redis, "renderline:parked:main", parked, seconds=500)
    assert waiting(ledger)["main"] == pytest.approx(500, abs=5)
    if why == "paused":
        redis.sadd("renderline:paused", "main")
    elif why == "circuit":
        redis.hset("renderline:circuit:main", mapping={"until": now + 10, "opened_at": now})
    elif why == "backoff":
        redis.set("renderline:backoff:main", now + 30, px=30_000)
    elif why == "hold":
        redis.hset("renderline:hold:main", "reason", "no credit")
    elif why == "slots":
        redis.hset("renderline:slot_limits", "main", 1)
        redis.sadd("renderline:slots:main", "a")
    else:
        redis.hset("renderline:rate_limit:main", "rate", 1)
    assert waiting(ledger)["main"] < 5, "those in the queue were sent just now"
    backdate(redis, "renderline:queued:submit.normal:main", "0" * 32, seconds=100)
    assert waiting(ledger)["main"] == pytest.approx(100, abs=5)


def test_an_account_without_submissions_has_none_that_waits(redis):
    ledger = Ledger(redis)
    redis.sadd("renderline:accounts", "main")
    assert waiting(ledger) == {"main": 0.0}


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


def test_health_is_answered_beside_the_metrics():
    problems = {"/healthz": None, "/readyz": "deaf"}
    checks = {path: (lambda path=path: problems[path]) for path in problems}
    exporter = Exporter(WorkerMetrics().registry, checks=checks)
    try:
        assert exporter.start(f"127.0.0.1:{free_port()}")
        at = f"http://127.0.0.1:{exporter.port}"
        assert urllib.request.urlopen(f"{at}/healthz", timeout=10).read() == b"ok\n"
        with pytest.raises(urllib.error.HTTPError, match="503") as refused:
            urllib.request.urlopen(f"{at}/readyz", timeout=10)
        assert refused.value.read() == b"deaf\n"
        assert ask(f"0.0.0.0:{exporter.port}") is None
        problems["/healthz"] = "hung"
        assert "503" in ask(f"127.0.0.1:{exporter.port}")
        assert "process_resident_memory_bytes" in fetched(exporter.port)
    finally:
        exporter.stop()
    assert "refused" in ask(f"127.0.0.1:{free_port()}")


@pytest.mark.parametrize("bind", ["192.0.2.1:9464", "nowhere.invalid:9464"])
def test_an_address_that_cannot_be_had_costs_the_metrics_alone(bind):
    assert Exporter(WorkerMetrics().registry).start(bind) is False
