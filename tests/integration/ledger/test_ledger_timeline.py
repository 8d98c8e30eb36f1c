"""The timeline of a render, as it is written and read."""

from __future__ import annotations

import time

import pytest

from harness.ledger import LedgerDriver
from renderline.ledger import Timeline, TimelineWriter
from renderline.observer import Call, HookAttempt, Observers, Poll, Transition, calls_for

ONE = "1" * 32


@pytest.fixture
def driver(redis):
    return LedgerDriver(redis)


@pytest.fixture
def writer(driver):
    return TimelineWriter(driver.ledger, clock=driver.clock)


def entries(driver, *fields):
    return [tuple(entry[name] for name in fields) for entry in Timeline(driver.ledger).of(ONE)]


def a_call(*, endpoint="GET /editor/progress", result="ok", status=200, polling=False, render_id=ONE, seconds=0.25):
    code = "" if result == "ok" else result.partition(" ")[0]
    about = {"account": "main", "endpoint": endpoint, "status": status, "code": code, "seconds": seconds}
    return Call(**about, began=time.monotonic(), render_id=render_id, attempt=1, polling=polling, result=result)


def a_poll(status, *calls, state="rendering"):
    about = {"account": "main", "kind": "project", "render_id": ONE, "attempt": 1, "seconds": 0.1}
    return Poll(**about, state=state, status=status, calls=calls)


def test_every_transition_of_every_attempt_is_there(driver):
    driver.accept(ONE)
    for due in driver.claim_due_polls(driver.start(ONE)):
        driver.record_result(due, "failed", code="7001", message="no")
    driver.operations.retry(ONE)
    driver.start(ONE)
    first, second = ["accepted", "submitting", "rendering", "failed"], ["accepted", "submitting", "rendering"]
    assert entries(driver, "type", "name", "attempt") == [
        *(("transition", name, 1) for name in first),
        *(("transition", name, 2) for name in second),
    ]


def test_a_render_without_noted_entries_shows_the_transitions_of_its_record(driver):
    driver.accept(ONE)
    driver.start(ONE)
    driver.redis.delete(f"renderline:timeline:{ONE}")
    assert entries(driver, "name") == [("accepted",), ("submitting",), ("rendering",)]
    assert Timeline(driver.ledger).of("0" * 32) == []


def test_calls_and_hooks_are_noted_with_their_time_and_result(driver, writer):
    driver.accept(ONE)
    driver.clock.forward(5)
    writer.call(a_call(endpoint="POST /editor/project", result="50010 No credit", status=400))
    writer.call(a_call(render_id=None))
    driver.clock.forward(5)
    about = {"render_id": ONE, "attempt": 1, "index": 0, "type": "http", "host": "h", "endpoint": "https://h"}
    answer = {"number": 1, "status": 503, "outcome": "retrying", "result": "h answered 503"}
    writer.hook(HookAttempt(**about, **answer, seconds=2.0, began=time.monotonic()))
    writer.flush()
    fields = ("type", "name", "status", "seconds", "result", "endpoint", "webhook_id")
    assert entries(driver, *fields)[1:] == [
        ("call", "POST /editor/project", 400, 0.25, "50010 No credit", None, None),
        ("hook", "hook 0 http", 503, 2.0, "h answered 503", "https://h", f"msg_{ONE}_1_0"),
    ]


def test_of_polls_those_that_failed_and_those_that_changed_the_state_are_listed(driver, writer):
    driver.accept(ONE)
    down = a_call(status=None, result="VendorUnavailable no connection", polling=True)
    fine = a_call(polling=True)
    writer.call(fine)
    for _ in range(3):
        writer.poll(a_poll("wait", fine))
    for _ in range(3):
        writer.poll(a_poll("error", down))
    writer.poll(a_poll("wait", fine))
    driver.clock.forward(1)
    writer.poll(a_poll("error", down))
    writer.poll(a_poll("done", fine))
    writer.flush()
    results = [result for kind, result in entries(driver, "type", "result") if kind == "call"]
    assert results == ["VendorUnavailable no connection"] * 2 + ["ok"]


def test_evidence_for_an_unconfirmed_render_is_listed_once_as_long_as_it_stays_the_same(driver, writer):
    driver.accept(ONE)
    for _ in range(5):
        driver.clock.forward(1)
        writer.poll(a_poll("untouched", a_call(polling=True), a_call(endpoint="GET /project"), state="unconfirmed"))
    driver.clock.forward(1)
    writer.poll(a_poll("started", a_call(polling=True), state="unconfirmed"))
    writer.flush()
    assert len([kind for (kind,) in entries(driver, "type") if kind == "call"]) == 3


def test_the_newest_200_entries_are_kept_and_what_is_not_text_is_cleaned(driver, writer):
    driver.accept(ONE)
    for number in range(230):
        driver.clock.forward(1)
        writer.call(a_call(result=f"{number} \x1b[31mred\nline\ttab \ud800 {'x' * 400}"))
    writer.flush()
    found = Timeline(driver.ledger).of(ONE)
    assert len(found) == 200
    assert found[-1]["result"].startswith("229 \ufffd[31mred line tab \ufffd xxx")
    assert len(found[-1]["result"]) == 200


def test_a_render_that_is_gone_gets_no_entry_and_takes_its_timeline_along(driver, writer):
    driver.accept(ONE)
    driver.operations.cancel(ONE)
    driver.clock.forward(100)
    driver.ledger.forget(retention=50.0)
    assert not driver.redis.exists(f"renderline:timeline:{ONE}")
    writer.call(a_call())
    writer.flush()
    assert not driver.redis.exists(f"renderline:timeline:{ONE}")


def test_a_key_that_holds_something_else_stops_no_render(driver, writer):
    driver.accept(ONE)
    driver.redis.delete(f"renderline:timeline:{ONE}")
    driver.redis.set(f"renderline:timeline:{ONE}", "?")
    driver.start(ONE)
    writer.call(a_call())
    writer.flush()
    assert driver.state(ONE) == "rendering"
    assert entries(driver, "name") == [("accepted",), ("submitting",), ("rendering",)]


def test_an_entry_that_was_sent_twice_is_read_once(driver):
    driver.accept(ONE)
    line = driver.redis.lindex(f"renderline:timeline:{ONE}", 0)
    driver.redis.rpush(f"renderline:timeline:{ONE}", line, "not an entry")
    assert entries(driver, "name") == [("accepted",)]


class Seen:
    def __init__(self):
        self.moves, self.calls = [], []

    def call(self, call):
        self.calls.append(call)

    def poll(self, poll):
        raise ValueError("an observer that fails")

    def hook(self, attempt):
        raise ValueError("an observer that fails")

    def transition(self, transition: Transition):
        self.moves.append((transition.was, transition.state, transition.attempt, transition.seconds))
        raise ValueError("an observer that fails")


def test_observers_learn_of_every_transition_and_their_failures_break_nothing(redis):
    one, two = Seen(), Seen()
    driver = LedgerDriver(redis, observer=Observers((one, two)))
    driver.accept(ONE)
    driver.clock.forward(3)
    for due in driver.claim_due_polls(driver.start(ONE)):
        driver.record_result(due, "done", url="https://v/1.mp4")
    assert one.moves == two.moves
    assert one.moves[:2] == [(None, "accepted", 1, None), ("accepted", "submitting", 1, 3.0)]
    assert [state for _, state, _, _ in one.moves] == ["accepted", "submitting", "rendering", "completed", "delivered"]


def test_the_calls_of_a_thread_belong_to_the_render_that_it_works_for():
    seen = Seen()
    with calls_for(ONE, 1) as purpose:
        Observers((seen,)).call(a_call())
        Observers((seen,)).call(a_call(render_id=None))
    assert len(purpose.calls) == 1
    assert len(seen.calls) == 2
