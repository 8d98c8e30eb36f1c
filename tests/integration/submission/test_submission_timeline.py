"""What a vendor echoes gets into no timeline and no log: neither the token nor the text of the video."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

from harness import a_request
from harness.fake_vendor import failure
from harness.fixed_token import FixedToken
from harness.ledger import LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from harness.requests import record
from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import Guard
from renderline.ledger import Timeline, TimelineWriter
from renderline.observer import Observers
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.retry import RetryPolicy
from renderline.studio import StudioV3
from renderline.submission.submitter import Submitter

ONE = "1" * 32
SCRIPT = "Nobody but the viewers may read this sentence."
TOKEN = "a-token-of-the-vendor-0123456789"


@pytest.fixture
def writer(redis):
    return TimelineWriter(LedgerDriver(redis).ledger, clock=time.time)


@pytest.fixture
def submitter(redis, vendor, writer):
    driver = LedgerDriver(redis, observer=Observers((writer,)))
    guard = Guard("main", driver.limits, CircuitBreaker(driver.limits, "main"), observer=driver.ledger.observer)
    v3 = StudioV3(vendor.url, tokens=FixedToken(TOKEN), guard=guard)
    policy = PollPolicy(first_interval=1.0)
    yield Submitter(
        ledger=driver.ledger,
        dispatcher=RecordedDispatcher(),
        accounts={"main": AccountClients("main", v3, None, guard=guard)},
        mode="two_phase",
        lease=30.0,
        policy=policy,
        durations=Durations(driver.ledger),
        retries=RetryPolicy(attempts=3, base=0.05, cap=0.2),
    )
    v3.close()


def test_an_echo_of_script_and_token_is_in_no_entry_and_no_line(submitter, vendor, writer):
    echo = f"cannot say '{SCRIPT}' for {TOKEN} \x1b[31m\nforged line"
    vendor.override = lambda call: failure(400, "50010", echo) if call.name == "draft" else None
    record(submitter.ledger, ONE, a_request(SCRIPT, name="Order 17", hooks=[]), account="main", deadline=60.0)
    with capture_logs() as lines:
        submitter.submit(ONE)
    writer.flush()
    entries = Timeline(submitter.ledger).of(ONE)
    (call,) = [entry for entry in entries if entry["type"] == "call"]
    assert (call["name"], call["status"], call["attempt"]) == ("POST /editor/project", 400, 1)
    assert call["result"].startswith("50010 cannot say '[...]' for [...] \ufffd[31m forged line")
    (failed,) = [line for line in lines if line["event"] == "render failed"]
    assert (failed["log_level"], failed["code"], failed["name"], failed["account"]) == (
        "warning",
        "50010",
        "Order 17",
        "main",
    )
    for text in (str(entries), str(lines), str(submitter.ledger.record(ONE))):
        assert "viewers" not in text
        assert TOKEN not in text
