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


def test_the_log_lines_of_a_submission_name_the_tenant(local_worker):
    request = load(a_request(hooks=[]))
    entry = ledger_entry(ONE, request, deadline=60.0)
    local_worker.ledger.accept(type(entry)(**{**vars(entry), "account": "main", "tenant": "acme"}))
    with bound_contextvars(tenant=None), capture_logs(processors=[merge_contextvars]) as lines:
        local_worker.submit(ONE)
    (line,) = [one for one in lines if one["event"] == "submitted"]
    assert line["tenant"] == "acme"


def test_a_background_thread_keeps_the_log_context():
    done, seen = threading.Event(), {}

    def work():
        seen.update(structlog.contextvars.get_contextvars())
        done.set()

    with bound_contextvars(tenant="acme"):
        assert BackgroundThreads(1).run(work)
    assert done.wait(10)
    assert seen["tenant"] == "acme"
