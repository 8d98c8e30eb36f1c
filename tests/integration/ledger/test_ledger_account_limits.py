"""How fast an account may go: silence, pauses, outages and slots, kept where work is claimed."""

import pytest

from harness.ledger import GRACE, LEASE


def claimed(book, one):
    claim = book.ledger.begin_submission(one, lease=LEASE)
    return claim is not None


def unparked(book):
    return [one for one, _ in book.flow.unpark()]


def test_no_submission_while_the_vendor_wants_silence(book):
    book.accept()
    book.flow.slow_down("main", seconds=10.0)
    assert not claimed(book, "r1")
    assert (book.state(), book.record()["attempts"]) == ("accepted", 0)
    assert "wait" in book.record()["note"]
    book.sound()
    book.clock.forward(9.9)
    assert unparked(book) == []
    assert not claimed(book, "r1")
    book.clock.forward(0.2)
    assert unparked(book) == ["r1"]
    assert unparked(book) == []
    assert claimed(book, "r1")


def test_a_shorter_silence_does_not_end_a_longer_one(book):
    book.accept()
    book.flow.slow_down("main", seconds=60.0)
    book.flow.slow_down("main", seconds=1.0)
    book.clock.forward(59.0)
    assert not claimed(book, "r1")
    book.clock.forward(1.1)
    assert claimed(book, "r1")


def test_silence_concerns_one_account(book):
    book.accept("a", account="one")
    book.accept("b", account="two")
    book.flow.slow_down("one", seconds=60.0)
    assert not claimed(book, "a")
    assert claimed(book, "b")


def test_no_look_while_the_vendor_wants_silence(book):
    book.accept()
    kick = book.started()
    book.flow.slow_down("main", seconds=60.0)
    assert book.look(kick) == []
    delay, ticket = book.ledger.rest_pump("main", slot=kick.slot, ticket=kick.ticket, limit=64)
    assert delay == pytest.approx(60.0 - kick.delay, abs=0.01)
    book.clock.forward(delay)
    batch = book.ledger.claim_due("main", slot=kick.slot, ticket=ticket, limit=64, lease=LEASE)
    assert [look.id for look in batch.looks] == ["r1"]


def test_the_vendors_too_many_lowers_the_pace_for_a_while(book):
    names = [f"r{index:02}" for index in range(60)]
    for one in names:
        book.accept(one)
    assert sum(claimed(book, one) for one in names[:20]) == 20, "no limit before the vendor named one"
    book.flow.slow_down("main", seconds=1.0)
    book.clock.forward(1.1)
    now = sum(claimed(book, one) for one in names[20:])
    assert now < 40
    for _ in range(60):
        book.clock.forward(1.0)
        for one in unparked(book):
            now += claimed(book, one)
    assert now == 40, "parked for ever"


def test_an_outage_is_probed_by_one_at_a_time(book):
    for one in ("a", "b", "c"):
        book.accept(one)
    book.flow.call_failed("main", failures=1, pause=10.0)
    assert not any(claimed(book, one) for one in "abc")
    book.clock.forward(10.1)
    assert [one for one in "abc" if claimed(book, one)] == ["a"]
    book.flow.call_failed("main", failures=1, pause=10.0)
    assert not claimed(book, "b")
    book.clock.forward(LEASE + 0.1)
    assert claimed(book, "b")
    book.flow.call_answered("main")
    assert claimed(book, "c")


def test_a_probe_that_never_answers_does_not_keep_the_account_silent(book):
    book.accept("a")
    book.accept("b")
    book.flow.call_failed("main", failures=1, pause=10.0)
    book.clock.forward(10.1)
    assert claimed(book, "a")  # its worker is killed
    book.clock.forward(LEASE + 0.1)
    assert claimed(book, "b")


def test_the_end_of_an_outage_does_not_end_the_vendors_silence_when_there_was_none(book):
    book.accept()
    book.flow.slow_down("main", seconds=60.0)
    book.flow.call_answered("main")
    assert not claimed(book, "r1")


def test_a_paused_account_submits_nothing_until_it_is_resumed(book):
    book.accept()
    book.operations.pause("main")
    assert not claimed(book, "r1")
    assert book.state() == "accepted"
    assert unparked(book) == []
    book.sound()
    assert book.operations.resume("main")
    assert unparked(book) == ["r1"]
    assert claimed(book, "r1")


def test_a_paused_account_is_followed_on(book):
    book.accept()
    kick = book.started()
    book.operations.pause("main")
    assert [look.id for look in book.look(kick)] == ["r1"]


def test_a_render_keeps_its_slot_until_its_end(book):
    book.flow.limit({"main": 1})
    for one in "ab":
        book.accept(one)
    kick = book.started("a")
    assert not claimed(book, "b")
    assert "1" in book.record("b")["note"]
    book.sound("b")
    assert unparked(book) == []
    (look,) = book.look(kick)
    assert unparked(book) == []
    book.find(look, "failed", message="no")
    assert unparked(book) == ["b"]
    assert unparked(book) == []
    assert claimed(book, "b")


def test_a_render_with_a_slot_needs_no_second_one(book):
    book.flow.limit({"main": 1})
    book.accept()
    book.claim()
    book.clock.forward(LEASE + 1)
    assert claimed(book, "r1"), "its worker died: the slot is its own"


def test_no_more_renders_at_once_than_slots(book):
    book.flow.limit({"main": 3})
    for index in range(10):
        book.accept(f"r{index}")
    assert sum(claimed(book, f"r{index}") for index in range(10)) == 3
    assert unparked(book) == []
    book.flow.limit({"main": None})
    assert len(unparked(book)) == 7


def test_parked_renders_come_back_by_priority_and_age(book):
    book.flow.limit({"main": 1})
    book.accept("running")
    assert claimed(book, "running")
    for one, priority in (("n1", "normal"), ("low", "low"), ("n2", "normal"), ("high", "high")):
        book.accept(one, priority=priority)
        book.clock.forward(1)
    for one in ("n2", "low", "high", "n1"):
        assert not claimed(book, one)
    book.flow.limit({"main": 4})
    assert unparked(book) == ["high", "n1", "n2"]
    book.flow.limit({"main": None})
    assert unparked(book) == ["low"]


@pytest.mark.parametrize("end", ["release", "fail", "cancel"])
def test_a_slot_is_given_back_when_nothing_was_started(book, end):
    book.flow.limit({"main": 1})
    book.accept()
    book.accept("next")
    claim = book.claim()
    assert not claimed(book, "next")
    if end == "release":
        book.ledger.release(claim, retry_in=1.0, note="429")
    elif end == "fail":
        book.ledger.fail("r1", code="", message="no", origin="vendor", fence=claim.fence)
    else:
        book.operations.cancel("r1")
    assert claimed(book, "next")


def test_a_render_that_ended_is_not_parked_any_more(book):
    book.operations.pause("main")
    book.accept()
    assert not claimed(book, "r1")
    book.operations.cancel("r1")
    book.operations.resume("main")
    assert unparked(book) == []


def test_a_lost_message_of_an_unparked_render_is_sent_again(book):
    book.operations.pause("main")
    book.accept()
    assert not claimed(book, "r1")
    book.operations.resume("main")
    assert unparked(book) == ["r1"]
    book.clock.forward(GRACE + 1)
    assert book.ledger.silent() == [("r1", "accepted", "normal")]
