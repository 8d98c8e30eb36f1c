"""Accepting a render and claiming its submission: once, fenced, and never forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.ledger import GRACE, LEASE
from renderline.ledger import KeyConflict


def test_a_request_is_recorded_once(book):
    assert book.accept() is True
    assert book.accept() is False
    with pytest.raises(KeyConflict, match="r1"):
        book.accept(fingerprint="f2")
    record = book.record()
    assert (record["state"], record["name"], record["account"]) == ("accepted", "Render r1", "main")
    assert record["metadata"] == {"order": "r1"}
    assert list(record["times"]) == ["accepted"]
    book.sound()


def test_a_known_request_stays_known_after_it_moved_on(book):
    book.accept()
    book.started()
    assert book.accept() is False
    assert book.state() == "rendering"
    with pytest.raises(KeyConflict):
        book.accept(fingerprint="f2")


def test_twenty_doors_at_once_make_one_render(book):
    ready = threading.Barrier(20)

    def enter(index):
        ready.wait()
        try:
            return book.accept(fingerprint="odd" if index % 2 else "even")
        except KeyConflict:
            return "conflict"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(enter, range(20)))
    assert answers.count(True) == 1
    assert answers.count(False) == 9
    assert answers.count("conflict") == 10
    assert book.redis.zcard("renderline:renders") == 1


def test_twenty_workers_at_once_make_one_submission(book):
    book.accept()
    ready = threading.Barrier(20)

    def begin(_):
        ready.wait()
        return book.ledger.begin_submission("r1", lease=LEASE)

    with ThreadPoolExecutor(20) as pool:
        claims = [claim for claim in pool.map(begin, range(20)) if claim]
    assert len(claims) == 1
    assert book.record()["attempts"] == 1


def test_what_a_claim_carries(book):
    book.accept()
    claim = book.claim()
    assert (claim.id, claim.kind, claim.account, claim.attempts, claim.stage) == ("r1", "project", "main", 1, "")
    assert (claim.intent, claim.project_id, claim.baseline) == (None, None, None)
    assert (claim.name, claim.body) == ("Render r1", '{"scenes":[]}')
    assert book.state() == "submitting"
    book.sound()


def test_a_claim_ends_with_its_lease_and_the_next_one_has_a_new_fence(book):
    book.accept()
    first = book.claim()
    book.clock.forward(LEASE - 0.01)
    assert book.ledger.begin_submission("r1", lease=LEASE) is None
    book.clock.forward(0.02)
    second = book.claim()
    assert second.fence != first.fence
    assert second.attempts == 2


def test_an_intent_renews_the_lease(book):
    book.accept()
    claim = book.claim()
    book.clock.forward(LEASE - 1)
    assert book.ledger.intend(claim, "draft", lease=LEASE)
    book.clock.forward(LEASE - 1)
    assert book.ledger.begin_submission("r1", lease=LEASE) is None


def test_an_old_fence_changes_nothing(book):
    book.accept()
    old = book.claim()
    book.clock.forward(LEASE + 1)
    new = book.claim()
    assert book.ledger.intend(new, "draft", lease=LEASE)
    before = book.redis.hgetall("renderline:render:r1")
    woken = book.stands("wake")

    assert book.ledger.intend(old, "export", lease=99.0) is False
    assert book.ledger.advance(old, stage="export", project_id="stolen", baseline="{}") is False
    assert book.ledger.start(old, confirmed=True, project_id="stolen", look_in=1.0) == (False, None)
    assert book.ledger.start(old, confirmed=False, project_id="stolen", look_in=1.0) == (False, None)
    assert book.ledger.release(old, retry_in=1.0, note="stolen") is False
    assert book.ledger.fail("r1", code="x", message="stolen", origin="vendor", fence=old.fence) is False

    assert book.redis.hgetall("renderline:render:r1") == before
    assert book.stands("wake") == woken
    assert book.stands("due:main") is None
    assert book.redis.smembers("renderline:slots:main") == {"r1"}
    assert book.ledger.advance(new, stage="export", project_id="p1")


def test_a_claim_is_over_once_the_render_moved_on(book):
    book.accept()
    claim = book.claim()
    book.ledger.intend(claim, "export", lease=LEASE)
    assert book.ledger.start(claim, confirmed=True, project_id="p1", look_in=2.0)[0]
    assert book.ledger.start(claim, confirmed=True, project_id="p2", look_in=2.0) == (False, None)
    assert book.ledger.release(claim, retry_in=0.0, note="x") is False
    assert book.ledger.intend(claim, "export", lease=LEASE) is False
    assert book.record()["project_id"] == "p1"
    assert book.ledger.begin_submission("r1", lease=LEASE) is None


def test_the_next_holder_sees_the_announced_call_that_nobody_accounted_for(book):
    book.accept()
    book.ledger.intend(book.claim(), "export", lease=LEASE)
    book.clock.forward(LEASE + 1)
    assert book.claim().intent == "export"


def test_an_accounted_call_leaves_no_intent(book):
    book.accept()
    claim = book.claim()
    book.ledger.intend(claim, "draft", lease=LEASE)
    book.ledger.advance(claim, stage="export", project_id="p1", baseline='{"task": null}')
    book.clock.forward(LEASE + 1)
    after = book.claim()
    assert (after.intent, after.stage, after.project_id, after.baseline) == (None, "export", "p1", '{"task": null}')


def test_a_released_claim_can_be_taken_at_once(book):
    book.accept()
    claim = book.claim()
    book.ledger.intend(claim, "draft", lease=LEASE)
    assert book.ledger.release(claim, retry_in=5.0, note="no answer")
    assert book.record()["note"] == "no answer"
    assert book.stands("wake") == book.clock.now + 5.0 + GRACE
    book.sound()
    assert book.claim().attempts == 2


def test_a_released_intent_is_kept_only_when_asked(book):
    for one, keep, intent in (("a", False, None), ("b", True, "draft")):
        book.accept(one)
        claim = book.claim(one)
        book.ledger.intend(claim, "draft", lease=LEASE)
        book.ledger.release(claim, retry_in=5.0, note="no answer", keep_intent=keep)
        assert book.claim(one).intent == intent


def test_starting_schedules_the_first_look_and_the_deadline(book):
    book.accept(deadline=600.0)
    claim = book.claim()
    book.ledger.intend(claim, "export", lease=LEASE)
    book.clock.forward(4.0)
    recorded, kick = book.ledger.start(claim, confirmed=True, project_id="p1", look_in=2.5)
    assert recorded
    assert kick == ("main", 0, 1, 2.5)
    assert book.stands("due:main") == book.clock.now + 2.5
    # Counted from the call that costs, not from its answer.
    assert book.stands("deadline") == book.clock.now - 4.0 + 600.0
    assert book.record()["deadline"] is not None
    assert book.stands("wake") is None
    book.sound()


def test_only_one_pump_is_kicked_for_many_renders(book):
    kicks = []
    for index in range(5):
        book.accept(f"r{index}")
        kicks.append(book.started(f"r{index}"))
    assert [kick is not None for kick in kicks] == [True, False, False, False, False]


def test_an_earlier_look_than_the_sleeping_pump_gets_a_new_ticket(book):
    book.accept("a")
    book.accept("b")
    late = book.started("a", look_in=30.0)
    soon = book.started("b", look_in=1.0)
    assert (soon.slot, soon.delay) == (late.slot, 1.0)
    assert soon.ticket == late.ticket + 1
    assert book.ledger.claim_due("main", slot=late.slot, ticket=late.ticket, limit=9, lease=LEASE) is None


def test_what_stood_still_is_sent_again_less_and_less_often(book):
    book.accept()
    gaps, last = [], book.clock.now
    while len(gaps) < 8:
        book.clock.forward(1.0)
        if book.ledger.silent():
            gaps.append(book.clock.now - last)
            last = book.clock.now
    assert gaps == [GRACE, 2 * GRACE, 4 * GRACE, 8 * GRACE, 16 * GRACE, 32 * GRACE, 32 * GRACE, 32 * GRACE]


def test_the_sweep_is_told_what_to_send(book):
    book.accept("a", priority="high")
    book.accept("b")
    book.claim("b")
    book.completed("c")
    book.clock.forward(3600)
    assert sorted(book.ledger.silent()) == [
        ("a", "accepted", "high"),
        ("b", "submitting", "normal"),
        ("c", "completed", "normal"),
    ]


def test_moving_on_starts_the_doubling_anew(book):
    book.accept()
    for _ in range(4):
        book.clock.forward(1000)
        assert book.ledger.silent()
    book.ledger.release(book.claim(), retry_in=0.0, note="")
    book.clock.forward(GRACE)
    assert book.ledger.silent()
    book.clock.forward(2 * GRACE)
    assert book.ledger.silent()


def test_a_held_claim_is_not_sent_again_while_its_lease_lasts(book):
    book.accept()
    book.claim()
    book.clock.forward(LEASE)
    assert book.ledger.silent() == []
    book.clock.forward(2)
    assert book.ledger.silent() == [("r1", "submitting", "normal")]
