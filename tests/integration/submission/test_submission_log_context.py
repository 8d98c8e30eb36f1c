"""The log lines of a submission say whose render it is, also those of the thread that makes the paid call."""

import threading

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

from harness import a_request
from harness.requests import load
from renderline.acceptance import ledger_entry
from renderline.submission.background import BackgroundThreads

ONE = "a" * 32


def test_the_log_lines_of_a_submission_name_the_tenant_the_request_and_the_labels(local_worker):
    request = load(a_request(hooks=[], metadata={"customer": 317, "state": "a\x1b", "other": "hidden"}))
    entry = ledger_entry(ONE, request, deadline=60.0)
    about = {"account": "main", "tenant": "acme", "request_id": "call-17", "labels": ("customer", "state")}
    local_worker.ledger.accept(type(entry)(**{**vars(entry), **about}))
    with (
        bound_contextvars(tenant=None, request_id=None, labels=None),
        capture_logs(processors=[merge_contextvars]) as lines,
    ):
        local_worker.submit(ONE)
    moves = [(one["was"], one["state"]) for one in lines if one["event"] == "transition"]
    assert moves == [("accepted", "submitting"), ("submitting", "rendering")]
    assert {(one["tenant"], one["request_id"]) for one in lines} == {("acme", "call-17")}
    assert [one for one in lines if one["labels"] != {"customer": "317", "state": "a\ufffd"}] == []


def test_a_background_thread_keeps_the_log_context():
    done, seen = threading.Event(), {}

    def work():
        seen.update(structlog.contextvars.get_contextvars())
        done.set()

    with bound_contextvars(tenant="acme"):
        assert BackgroundThreads(1).run(work)
    assert done.wait(10)
    assert seen["tenant"] == "acme"
