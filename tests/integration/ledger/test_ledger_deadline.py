"""A render past its deadline gets one more look and then expires."""

from harness.ledger import GRACE, LEASE


def test_a_render_past_its_deadline_gets_one_more_look_and_then_expires(book):
    book.accept(hooks=1, deadline=600.0)
    kick = book.started(look_in=2.0)
    (look,) = book.look(kick)
    book.find(look, "wait", look_in=5000.0, progress=55.0)
    book.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=9)
    book.clock.forward(597.0)
    assert book.ledger.overdue() == ([], [])
    book.clock.forward(2.0)
    expired, (kick,) = book.ledger.overdue()
    assert expired == []
    assert kick.delay == 0.0
    assert book.ledger.overdue() == ([], []), "the look is under way: nothing to kick twice"
    (look,) = book.look(kick)
    book.find(look, "error", look_in=30.0, message="the vendor is away")
    book.clock.forward(GRACE)
    assert book.ledger.overdue() == ([], []), "one failed look just after the deadline is not the last word"
    (look,) = book.look(book.ledger.pumps()[0])
    book.find(look, "error", look_in=30.0, message="still away")
    book.clock.forward(0.01)
    assert book.ledger.overdue() == (["r1"], [])
    record = book.record()
    assert (record["state"], record["progress"]) == ("expired", 55)
    assert record["error"] == {
        "code": "deadline",
        "message": "not ready within 600 s of its submission; the last look failed: still away",
        "origin": "renderline",
    }
    book.sound()
    assert book.ledger.overdue() == ([], [])


def test_the_overdue_look_can_still_find_it_done(book):
    book.accept(deadline=10.0)
    (look,) = book.look(book.started())
    book.find(look, "wait", look_in=5000.0)
    book.clock.forward(100.0)
    _, kicks = book.ledger.overdue()
    (look,) = book.look((kicks or book.ledger.pumps())[0])
    assert book.find(look, "done", url="https://v/1.mp4") == [("r1", "delivered")]
    assert book.ledger.overdue() == ([], [])


def test_an_outage_of_ours_that_outlasts_the_deadline_expires_nothing_that_is_ready(book):
    """All workers were down: the first look afterwards must be over before anything is given up."""
    book.accept(deadline=600.0)
    book.started()
    book.clock.forward(86_400.0)
    _, (kick,) = book.ledger.overdue()
    (look,) = book.look(kick)
    assert book.ledger.overdue() == ([], []), "given up while the look is under way"
    assert book.find(look, "done", url="https://v/1.mp4") == [("r1", "delivered")]


def test_an_unconfirmed_render_expires_too(book):
    book.accept(deadline=10.0)
    (look,) = book.look(book.started(confirmed=False))
    book.find(look, "error", look_in=1.0, message="away")
    (look,) = book.look_again(10.0 + GRACE)
    book.clock.forward(GRACE + 1)
    assert book.ledger.overdue() == (["r1"], [])
    assert book.state() == "expired"
    book.sound()


def test_a_second_submission_has_a_deadline_of_its_own(book):
    book.accept(deadline=10.0)
    (look,) = book.look(book.started(confirmed=False))
    book.find(look, "error", look_in=1.0, message="away")
    (look,) = book.look_again(10.0 + GRACE)
    assert book.find(look, "resubmit") == [("r1", "submitting")]
    book.clock.forward(GRACE + 1)
    assert book.ledger.overdue() == ([], [])
    claim = book.claim()
    book.ledger.intend(claim, "export", lease=LEASE)
    book.ledger.start(claim, confirmed=True, project_id="p1", look_in=1.0)
    assert book.stands("deadline") == book.clock.now + 10.0
    assert book.ledger.overdue() == ([], [])
    book.sound()


def test_a_render_that_nobody_looks_at_does_not_expire(book):
    """No worker serves the poll queue: it may well be ready at the vendor."""
    book.accept(deadline=10.0)
    book.started()
    for _ in range(5):
        book.clock.forward(GRACE + 1)
        assert book.ledger.overdue()[0] == []
    assert book.state() == "rendering"
