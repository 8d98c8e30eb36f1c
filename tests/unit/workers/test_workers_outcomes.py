"""Tasks tell what became of their work: the outcome in words, FAILURE if it failed, the render's name and labels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery.events.state import State

from renderline import contract
from renderline.hooks import outcome as hooks
from renderline.ledger import PollResult, subject
from renderline.polling.tally import Tally
from renderline.retry import RetryIn
from renderline.submission import outcome as submissions
from tasks import outcomes, run_report
from tests.unit.workers.test_workers_requests import received

ONE, OTHER = "1" * 32, "2" * 32


@pytest.mark.parametrize(
    ("outcome", "text", "failed"),
    [
        (submissions.Submitted(), "rendering", False),
        (submissions.Submitted("unconfirmed"), "unconfirmed: no answer to the paid call", False),
        (submissions.Submitted("completed"), "completed", False),
        (submissions.Refused("vendor 50010 No credit"), "failed: vendor 50010 No credit", True),
        (submissions.Parked("the rate limit is used up"), "parked: the rate limit is used up", False),
        (submissions.NotMyTurn("parked: its account is paused"), "parked: its account is paused", False),
        (submissions.NotMyTurn("another worker submits it"), "nothing done: another worker submits it", False),
        (submissions.NotMyTurn(), "nothing done: it is not its turn", False),
        (RetryIn(4.6, "no answer"), "again in 5 s: no answer", False),
    ],
)
def test_a_submission_in_words(outcome: submissions.Outcome, text: str, failed: bool) -> None:
    assert outcomes.of_submission(outcome) == (text, failed)


@pytest.mark.parametrize(
    ("outcome", "text", "failed"),
    [
        (hooks.Done("delivered"), "hook 0 delivered", False),
        (hooks.Done("skipped"), "hook 0 skipped", False),
        (hooks.Done("dead-lettered", "it answered 503"), "hook 0 dead-lettered: it answered 503", True),
        (hooks.Done(), "hook 0: nothing to do, it has ended", False),
        (RetryIn(30, "it answered 503"), "hook 0 failed, again in 30 s: it answered 503", False),
        (hooks.NotMyTurn("its turn comes later"), "hook 0: nothing done: its turn comes later", False),
    ],
)
def test_a_hook_in_words(outcome: hooks.Outcome, text: str, failed: bool) -> None:
    assert outcomes.of_hook(0, outcome) == (text, failed)


def test_a_batch_of_polls_in_words() -> None:
    tally = Tally()
    assert str(tally) == "polled 0"
    due: list[Any] = [SimpleNamespace(id=str(number), state="rendering") for number in range(12)]
    results = [PollResult(one.id, 1, "wait") for one in due]
    results[3:5] = [PollResult("3", 1, "error"), PollResult("4", 1, "dropped")]
    tally.add(due, results, [("0", "completed"), ("1", "failed")])
    assert str(tally) == "polled 11: 8 rendering, 1 completed (0), 1 failed (1), 1 without an answer"
    tally.add(due, [PollResult(str(number), 1, "done") for number in (5, 6)], [("5", "completed"), ("6", "completed")])
    assert "3 completed (0, 5, ...)" in str(tally)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tof text", "two lines of text"),
        ("\x1b[31mred\x07 \ud800", "\ufffd[31mred\ufffd \ufffd"),
        ("x" * 201, "x" * 197 + "..."),
        ("x" * 200, "x" * 200),
    ],
)
def test_an_outcome_is_one_short_line_of_printable_text(text: str, shown: str) -> None:
    assert run_report.RunReport().end(text) == shown


class Watched:
    """A worker's request, and the state that Flower would keep of its task."""

    def __init__(self, task: str = contract.SUBMIT) -> None:
        self.request = received(task)
        self.state, self.clock = State(), 0
        self.request._eventer = SimpleNamespace(enabled=True, send=self._send)
        self._send("task-received", uuid=self.request.id, name=task, args="()", kwargs="{}")
        self.request.on_accepted(1, 0.0)

    def _send(self, type: str, **fields: Any) -> None:
        self.clock += 1
        given = {"hostname": "w", "timestamp": self.clock, "local_received": self.clock, "clock": self.clock, "pid": 1}
        self.state.event({"type": type, **given, **fields})

    @property
    def task(self) -> Any:
        return self.state.tasks[self.request.id]

    def ended(self) -> None:
        self.request.send_event("task-succeeded", result="None", runtime=0.1)


def test_a_task_whose_work_failed_is_a_failure_with_its_reason_and_no_traceback() -> None:
    watched = Watched()
    run_report.current().end("failed: vendor 50010 No credit", failed=True)
    watched.ended()
    shown = (watched.task.state, watched.task.result, watched.task.exception, watched.task.traceback)
    assert shown == ("FAILURE", "failed: vendor 50010 No credit", "failed: vendor 50010 No credit", None)


def test_a_task_shows_the_name_and_the_chosen_labels_and_no_other_metadata() -> None:
    watched = Watched(contract.REQUEST)
    subject.note("Welcome\x00", {"customer": 317, "secret": "private", "long": "x" * 101})
    run_report.current().end("accepted", labels=("customer", "long", "missing"))
    watched.ended()
    assert watched.task.kwargs == repr(
        {
            "customer": "317",
            "long": "x" * 97 + "...",
            "name": "Welcome\ufffd",
            "request": "<redacted>",
            "key": "order-1",
        }
    )


def test_a_task_of_another_render_in_the_same_thread_shows_nothing_of_the_one_before() -> None:
    subject.note("Welcome", {})
    watched = Watched()
    run_report.current().end("rendering")
    watched.ended()
    assert "Welcome" not in watched.task.kwargs


@pytest.mark.parametrize("first", ["the task", "the call"])
def test_a_run_that_goes_on_in_another_thread_ends_once_with_what_that_one_reports(first: str) -> None:
    watched, report = Watched(), run_report.current()
    report.postpone()
    if first == "the task":
        watched.ended()
        assert watched.task.state == "STARTED"
    report.end("failed: vendor 400", failed=True)
    if first == "the call":
        watched.ended()
    assert (watched.task.state, watched.task.result) == ("FAILURE", "failed: vendor 400")
    assert watched.task.succeeded is None


def test_a_retry_says_why_without_a_traceback() -> None:
    watched = Watched()
    run_report.current().end("again in 5 s: no answer")
    watched.request.send_event("task-retried", exception="None", traceback="Traceback ...")
    assert (watched.task.state, watched.task.result, watched.task.traceback) == (
        "RETRY",
        "again in 5 s: no answer",
        None,
    )


def test_a_task_that_raises_is_shown_with_its_error() -> None:
    watched = Watched()
    watched.request.send_event("task-failed", exception="ValueError()", traceback="Traceback ...")
    shown = (watched.task.state, watched.task.exception, watched.task.traceback)
    assert shown == ("FAILURE", "ValueError()", "Traceback ...")
