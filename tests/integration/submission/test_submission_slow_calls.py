"""A call whose answer comes only when the work is done is claimed, and waited for, longer than others."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.fake_vendor import FakeVendor, success
from harness.local_worker import LocalWorker
from renderline.submission.outcome import NotMyTurn, Submitted

SPOKEN = {"kind": "audio", "language": "en", "text": "Hello.", "model": "M000045058"}
USUAL, SLOW = 2.0, 300.0


class SlowVendor:
    """Answers speech and new projects when the test says so, and notes until when the call is claimed."""

    def __init__(self, vendor: FakeVendor) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        vendor.override = self
        self.claimed_for = 0.0
        self.worker: LocalWorker | None = None

    def __call__(self, call):
        if call.name not in ("/simple/audio", "draft"):
            return None
        assert self.worker
        key = f"{self.worker.ledger.prefix}render:r1"
        self.claimed_for = float(self.worker.redis.hget(key, "lease_until")) - self.worker.redis.time()[0]
        self.asked.set()
        assert self.answer.wait(30)
        if call.name == "draft":
            return None
        return success({"downloadUrl": f"{call.vendor.url}/files/a.wav", "fileName": "a.wav"})


@pytest.fixture
def vendor():
    with FakeVendor() as one:
        yield one


@pytest.fixture
def slow(vendor):
    return SlowVendor(vendor)


@pytest.fixture
def local_worker(redis, vendor, slow):
    slow.worker = LocalWorker(redis, vendor, read_timeout=0.2)
    yield slow.worker
    slow.answer.set()
    slow.worker.close()


def test_speech_is_claimed_for_the_longer_lease_and_waited_for(local_worker, slow, vendor):
    submitter = local_worker.new_submitter(lease=USUAL, slow_lease=SLOW)
    local_worker.accept({**SPOKEN, "hooks": []}, "r1")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(submitter.submit, "r1")
        assert slow.asked.wait(10)
        assert slow.claimed_for > SLOW - 5
        # Another worker gets the message again, and leaves the render to the first one.
        assert isinstance(local_worker.new_submitter(lease=USUAL).submit("r1"), NotMyTurn)
        assert not running.done()
        slow.answer.set()
        assert isinstance(running.result(30), Submitted)
    assert local_worker.record("r1")["state"] == "delivered"
    assert vendor.calls["/simple/audio"] == 1


def test_a_usual_call_keeps_the_usual_lease_and_is_not_waited_for(local_worker, slow, examples):
    submitter = local_worker.new_submitter(lease=USUAL, slow_lease=SLOW)
    local_worker.accept({**examples("compact-landscape.json"), "account": "main", "hooks": []}, "r1")
    submitter.submit("r1")
    assert slow.asked.is_set()
    assert slow.claimed_for <= USUAL + 1
    assert "timed out" in json.dumps(local_worker.record("r1"))


def test_a_slow_lease_below_the_usual_one_is_the_usual_one(local_worker, slow):
    slow.answer.set()
    local_worker.accept({**SPOKEN, "hooks": []}, "r1")
    local_worker.new_submitter(lease=100.0, slow_lease=1.0).submit("r1")
    assert slow.claimed_for > 95


def test_an_answer_that_comes_after_another_worker_took_over_is_not_thrown_away(local_worker, slow, vendor):
    """A file that was paid for and that no other call shows: the answer is all that there is of it."""
    submitter = local_worker.new_submitter(lease=SLOW)
    local_worker.accept({**SPOKEN, "hooks": []}, "r1")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(submitter.submit, "r1")
        assert slow.asked.wait(10)
        local_worker.lapse("r1")
        assert isinstance(local_worker.submit("r1"), Submitted)
        assert local_worker.record("r1")["state"] == "unconfirmed"
        slow.answer.set()
        assert isinstance(running.result(30), Submitted)
    assert local_worker.record("r1")["state"] == "delivered"
    assert local_worker.record("r1")["download_url"].endswith("/files/a.wav")
    assert vendor.calls["/simple/audio"] == 1
