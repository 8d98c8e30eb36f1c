"""Claiming due renders and recording poll results."""

import pytest

from harness.ledger import GRACE, LEASE
from renderline.ledger import PollResult


def test_what_a_poll_carries(driver, rendering):
    now = driver.clock.now
    assert (rendering.id, rendering.kind, rendering.state) == ("r1", "project", "rendering")
    assert (rendering.project_id, rendering.polls, rendering.progress) == ("p-r1", 0, 0.0)
    assert (rendering.faults, rendering.untouched, rendering.untouched_at, rendering.baseline) == (0, 0, None, None)
    assert (rendering.since, rendering.intent_at, rendering.progress_at) == (now - 2, now - 2, now - 2)
    assert rendering.deadline_at == now - 2 + 600


def test_a_claimed_render_is_not_due_again_before_its_lease_ends(driver):
    driver.accept()
    wake = driver.start()
    (first,) = driver.claim_due_polls(wake)
    delay, ticket = driver.ledger.sleep_pump("main", slot=wake.slot, ticket=wake.ticket, limit=64)
    assert delay == LEASE
    again = driver.ledger.claim_due_polls("main", slot=wake.slot, ticket=ticket, limit=64, lease=LEASE)
    assert again.polls == []
    delay, ticket = driver.ledger.sleep_pump("main", slot=wake.slot, ticket=ticket, limit=64)
    driver.clock.forward(delay)
    (due_poll,) = driver.ledger.claim_due_polls("main", slot=wake.slot, ticket=ticket, limit=64, lease=LEASE).polls
    assert due_poll.id == first.id
    assert due_poll.epoch > first.epoch


def test_a_late_finding_changes_nothing(driver, rendering):
    (newer,) = driver.claim_again()
    before = driver.redis.hgetall("renderline:render:r1")
    due = driver.score_in("due:main")
    for status in ("wait", "error", "done", "started", "untouched", "resubmit", "failed", "expired"):
        assert (
            driver.record_result(rendering, status, url="https://v/old.mp4", message="old", progress=99.0, poll_in=1.0)
            == []
        )
    assert driver.redis.hgetall("renderline:render:r1") == before
    assert driver.score_in("due:main") == due
    assert driver.record_result(newer, "done", url="https://v/1.mp4") == [("r1", "delivered")]


def test_waiting_is_a_poll_and_an_error_is_a_fault(driver, rendering):
    assert driver.record_result(rendering, "wait", poll_in=3.0, progress=12.5) == []
    record = driver.record()
    assert (record["progress"], record["polls"], record["note"]) == (12.5, 1, None)
    assert driver.score_in("due:main") == driver.clock.now + 3.0
    (due_poll,) = driver.claim_again()
    assert due_poll.progress == 12.5
    driver.record_result(due_poll, "error", poll_in=4.0, message="the vendor does not answer")
    record = driver.record()
    assert (record["progress"], record["polls"], record["note"]) == (12.5, 1, "the vendor does not answer")
    assert record["error"] is None
    assert driver.score_in("due:main") == driver.clock.now + 4.0
    driver.check_indexes()


def test_a_good_poll_forgives_the_faults_before_it(driver, rendering):
    due_poll = rendering
    for _ in range(3):
        driver.record_result(due_poll, "error", poll_in=GRACE * 2, message="away")
        (due_poll,) = driver.claim_again()
    assert due_poll.faults == 3
    driver.record_result(due_poll, "wait", poll_in=GRACE * 2)
    (due_poll,) = driver.claim_again()
    assert due_poll.faults == 0


def test_progress_never_falls(driver, rendering):
    driver.record_result(rendering, "wait", poll_in=1.0, progress=40.0)
    stamp = driver.redis.hget("renderline:render:r1", "progress_at")
    (due_poll,) = driver.claim_again()
    driver.record_result(due_poll, "wait", poll_in=1.0, progress=38.0)
    assert driver.record()["progress"] == 40
    assert driver.redis.hget("renderline:render:r1", "progress_at") == stamp


@pytest.mark.parametrize(("hooks", "state"), [(0, "delivered"), (2, "completed")])
def test_done(driver, hooks, state):
    driver.accept(hooks=hooks)
    (due_poll,) = driver.claim_due_polls(driver.start())
    assert driver.record_result(due_poll, "done", url="https://v/1.mp4", progress=100.0, credit=2.0) == [("r1", state)]
    record = driver.record()
    assert (record["state"], record["download_url"], record["progress"], record["credit"]) == (
        state,
        "https://v/1.mp4",
        100,
        2,
    )
    assert list(record["times"])[-1] == state
    driver.check_indexes()
    assert driver.record_result(due_poll, "failed", message="late") == []


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("status", ["failed", "expired"])
def test_ends_with_an_error(driver, status, confirmed):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=confirmed))
    moved = driver.record_result(due_poll, status, code="7001", message="no such voice", origin="vendor", progress=40.0)
    assert moved == [("r1", status)]
    record = driver.record()
    assert record["error"] == {"code": "7001", "message": "no such voice", "origin": "vendor"}
    assert record["progress"] == 40
    driver.check_indexes()


@pytest.mark.parametrize(("status", "details"), [("started", {"project_id": "found"}), ("done", {"url": "https://v"})])
def test_evidence_confirms_an_unconfirmed_render(driver, status, details):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=False))
    assert due_poll.state == "unconfirmed"
    expected = "rendering" if status == "started" else "completed"
    assert driver.record_result(due_poll, status, poll_in=1.0, **details) == [("r1", expected)]
    assert driver.state() == expected
    assert {"unconfirmed", "rendering", expected} <= set(driver.record()["times"])
    driver.check_indexes()
    if status == "started":
        assert driver.record()["project_id"] == "found"
        assert driver.score_in("due:main") == driver.clock.now + 1.0


def test_untouched_twice_leads_back_to_submitting_at_the_export(driver):
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=False))
    assert driver.record_result(due_poll, "untouched", poll_in=GRACE * 2) == []
    first_at = driver.clock.now
    (due_poll,) = driver.claim_again()
    assert (due_poll.untouched, due_poll.untouched_at) == (1, first_at)
    assert driver.record_result(due_poll, "resubmit") == [("r1", "submitting")]
    driver.check_indexes()
    claim = driver.claim()
    assert (claim.stage, claim.project_id, claim.intent) == ("export", "p-r1", None)


def test_an_untouched_poll_does_not_outlive_the_evidence(driver):
    """What was seen before a confirmed start says nothing about a later unknown outcome."""
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=False))
    driver.record_result(due_poll, "untouched", poll_in=GRACE * 2)
    (due_poll,) = driver.claim_again()
    driver.record_result(due_poll, "resubmit")
    claim = driver.claim()
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    _, wake = driver.ledger.start(claim, confirmed=False, project_id="p-r1", poll_in=1.0)
    (due_poll,) = driver.claim_due_polls(wake)
    assert (due_poll.untouched, due_poll.untouched_at) == (0, None)


@pytest.mark.parametrize("evidence", ["adopt", "hint"])
def test_evidence_that_comes_during_a_poll_without_any_is_not_undone_by_it(driver, evidence):
    """The poll found nothing, the vendor called meanwhile: the render must not be lost between the two."""
    driver.accept()
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=False))
    if evidence == "adopt":
        assert driver.operations.adopt("r1", "p9")[0]
    else:
        assert driver.operations.record_webhook("r1", progress=25.0)[0] == "rendering"
    assert driver.record_result(due_poll, "resubmit") == []
    assert driver.state() == "rendering"
    driver.check_indexes()


def test_a_batch_is_recorded_one_by_one(driver):
    due_polls = {due_poll.id: due_poll for due_poll in driver.claim_due_polls(driver.start_all("a", "b", "c"))}
    assert set(due_polls) == set("abc")
    moved = driver.ledger.record_poll_results(
        [
            PollResult("a", due_polls["a"].epoch, "done", url="https://v/a.mp4"),
            PollResult("nobody", 1, "done", url="https://v/x.mp4"),
            PollResult("b", due_polls["b"].epoch + 1, "failed", message="not mine"),
            PollResult("c", due_polls["c"].epoch, "failed", message="no"),
        ]
    )
    assert moved == [("a", "delivered"), ("c", "failed")]
    assert driver.state("b") == "rendering"
    assert driver.ledger.record("nobody") is None
    assert driver.ledger.record_poll_results([]) == []
