"""A worker that is stopped between announcing a call and sending it sends nothing when it goes on too late."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import time

import pytest
from redis import Redis

from harness import until
from harness.fake_vendor import Drop
from harness.local_worker import LocalWorker
from renderline.retry import RetryIn
from renderline.submission.outcome import NotMyTurn, Submitted

LEASE = 1.0
LATE = LEASE * 0.9
RENDER = "5f0c" * 8
REQUEST = {
    "kind": "project",
    "name": "Welcome",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}


@dataclasses.dataclass
class Vendor:
    """Only an address, for a process that has the vendor elsewhere."""

    url: str


@pytest.fixture
def local_worker(redis, vendor):
    local_worker = LocalWorker(redis, vendor)
    local_worker.submitter = local_worker.new_submitter(lease=LEASE)
    local_worker.accept(REQUEST, RENDER, deadline=600.0)
    yield local_worker
    local_worker.close()


def stopped_after(local_worker, step, *, stop=lambda: time.sleep(LATE), times=1):
    """Stop the process right after the ledger recorded this step, as often as given."""
    done, left = getattr(local_worker.ledger, step), [times]

    def and_stop(*given, **options):
        answer = done(*given, **options)
        if left[0]:
            left[0] -= 1
            stop()
        return answer

    setattr(local_worker.ledger, step, and_stop)


@pytest.mark.parametrize(
    ("step", "calls"),
    [("claim_submission", {"draft": 0, "export": 0}), ("advance", {"draft": 1, "export": 0})],
)
def test_a_call_that_was_held_up_after_its_announcement_is_not_sent(local_worker, vendor, step, calls):
    local_worker.tokens.current()  # so that each call is announced in the step before it
    stopped_after(local_worker, step)
    assert isinstance(local_worker.submitter.submit(RENDER), RetryIn)
    assert {name: vendor.calls[name] for name in calls} == calls
    assert local_worker.record(RENDER)["state"] == "submitting"
    # It never left, so there is nothing to be settled.
    until(lambda: isinstance(local_worker.submit(RENDER), Submitted), what="its next try")
    assert local_worker.poll_until(RENDER, "delivered", "failed", "expired")["state"] == "delivered"
    assert "unconfirmed" not in local_worker.record(RENDER)["times"]
    assert (vendor.exports_of(RENDER), len(vendor.projects)) == (1, 1)


def test_a_call_announced_by_itself_is_not_sent_late_either(local_worker, vendor):
    # The token has to be fetched first, so that the announcement comes by itself.
    accounts = {"main": dataclasses.replace(local_worker.accounts["main"], token=local_worker.tokens)}
    local_worker.submitter = local_worker.new_submitter(lease=LEASE, accounts=accounts)
    stopped_after(local_worker, "record_intent")
    assert isinstance(local_worker.submitter.submit(RENDER), RetryIn)
    assert vendor.calls["draft"] == 0


class Turn:
    """The turn of an account under a limit of calls, which may take long to come."""

    def __init__(self, events):
        self._events = events

    def take(self):
        self._events.append("turn")


def test_token_and_turn_are_waited_for_before_the_call_is_announced(redis, vendor):
    events = []
    local_worker = LocalWorker(redis, vendor, rate_limit=Turn(events))
    local_worker.accept(REQUEST, RENDER, deadline=600.0)
    intend = local_worker.ledger.record_intent

    def announce(claim, stage_name, **options):
        events.append(f"announce {stage_name}")
        return intend(claim, stage_name, **options)

    local_worker.ledger.record_intent = announce
    vendor.override = lambda call: events.append(call.name)
    main = dataclasses.replace(local_worker.accounts["main"], token=local_worker.tokens)
    local_worker.submitter = local_worker.new_submitter(lease=LEASE, accounts={"main": main})
    assert isinstance(local_worker.submitter.submit(RENDER), Submitted)
    local_worker.close()
    token, draft, export = ["turn", "token"], ["turn", "announce draft", "draft"], ["turn", "announce export", "export"]
    assert events == token + draft + export


def test_a_call_in_time_is_sent(local_worker, vendor):
    stopped_after(local_worker, "advance", stop=lambda: time.sleep(LEASE * 0.1))
    assert isinstance(local_worker.submitter.submit(RENDER), Submitted)
    assert vendor.exports_of(RENDER) == 1


def test_a_connection_that_takes_too_long_carries_no_late_call(local_worker, vendor):
    """The clock is looked at after connecting, and again before the body, without which there is no call."""
    local_worker.tokens.current()
    connection = local_worker.v3._transport._adapter

    def slow(*given, **options):
        time.sleep(LATE)
        return send(*given, **options)

    send, connection.send = connection.send, slow
    assert isinstance(local_worker.submitter.submit(RENDER), RetryIn)
    connection.send = send
    assert vendor.calls["draft"] == 0


def _stop_itself(redis_url: str, vendor_url: str) -> None:
    """A worker that is stopped by the system, right between announcing the export and sending it."""
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        local_worker = LocalWorker(redis, Vendor(vendor_url))
        local_worker.submitter = local_worker.new_submitter(lease=LEASE)
        local_worker.tokens.current()
        stopped_after(local_worker, "advance", stop=lambda: os.kill(os.getpid(), signal.SIGSTOP))
        outcome = local_worker.submitter.submit(RENDER)
        redis.set("outcome", type(outcome).__name__)
        local_worker.close()


def test_a_stopped_worker_does_not_export_what_another_has_settled(local_worker, vendor, valkey):
    worker = multiprocessing.get_context("spawn").Process(target=_stop_itself, args=(valkey.url, vendor.url))
    worker.start()
    try:
        until(lambda: len(vendor.projects) == 1 and stopped(worker.pid), what="the worker has stopped itself")
        until(lambda: isinstance(local_worker.submit(RENDER), Submitted), what="its lease has ended")
        assert local_worker.record(RENDER)["state"] == "unconfirmed"
        assert local_worker.poll_until(RENDER, "delivered", "failed", "expired")["state"] == "delivered"
        before = vendor.calls["export"]
    finally:
        os.kill(worker.pid, signal.SIGCONT)
        worker.join(60)
    assert worker.exitcode == 0
    assert local_worker.redis.get("outcome") == NotMyTurn.__name__
    assert (vendor.calls["export"], before) == (1, 1)
    assert vendor.exports_of(RENDER) == 1


def stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def test_a_look_that_was_stopped_deletes_no_draft(local_worker, vendor):
    """Announced, stopped, overtaken by a poll that found a start: its deletion would hit a render."""

    def drop_the_export(call):
        if call.name == "export":
            raise Drop

    vendor.override = drop_the_export
    local_worker.submit(RENDER)
    assert local_worker.record(RENDER)["state"] == "unconfirmed"
    local_worker.poller = dataclasses.replace(
        local_worker.poller,
        confirmation=dataclasses.replace(local_worker.poller.confirmation, lease=LEASE),
        patience=60.0,
    )
    stopped_after(local_worker, "begin_revocation", times=1)
    until(lambda: _pumped(local_worker) and vendor.calls["project"] >= 2, what="the poll that was stopped")
    assert vendor.calls["delete"] == 0


def _pumped(local_worker):
    if not local_worker.wakes:
        local_worker.wakes += local_worker.ledger.restart_pumps()
    for wake in [local_worker.wakes.pop() for _ in range(len(local_worker.wakes))]:
        local_worker._pump(wake)
    return local_worker.redis.hget(f"renderline:render:{RENDER}", "revoking")
