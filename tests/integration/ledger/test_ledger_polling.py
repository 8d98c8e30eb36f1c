"""Claiming what is due and recording what was seen."""

import pytest

from harness.ledger import GRACE, LEASE
from renderline.ledger import PollResult


def test_what_a_look_carries(book, rendering):
    now = book.clock.now
    assert (rendering.id, rendering.kind, rendering.state) == ("r1", "project", "rendering")
    assert (rendering.project_id, rendering.polls, rendering.progress) == ("p-r1", 0, 0.0)
    assert (rendering.faults, rendering.untouched, rendering.untouched_at, rendering.baseline) == (0, 0, None, None)
    assert (rendering.since, rendering.intent_at, rendering.progress_at) == (now - 2, now - 2, now - 2)
    assert rendering.deadline_at == now - 2 + 600


def test_a_claimed_render_is_not_due_again_before_its_lease_ends(book):
    book.accept()
    kick = book.started()
    (first,) = book.look(kick)
    delay, ticket = book.ledger.rest_pump("main", slot=kick.slot, ticket=kick.ticket, limit=64)
    assert delay == LEASE
    again = book.ledger.claim_due("main", slot=kick.slot, ticket=ticket, limit=64, lease=LEASE)
    assert again.looks == []
    delay, ticket = book.ledger.rest_pump("main", slot=kick.slot, ticket=ticket, limit=64)
    book.clock.forward(delay)
    (look,) = book.ledger.claim_due("main", slot=kick.slot, ticket=ticket, limit=64, lease=LEASE).looks
    assert look.id == first.id
    assert look.epoch > first.epoch


def test_a_late_finding_changes_nothing(book, rendering):
    (newer,) = book.look_again()
    before = book.redis.hgetall("renderline:render:r1")
    due = book.stands("due:main")
    for verdict in ("wait", "error", "done", "started", "untouched", "resubmit", "failed", "expired"):
        assert book.find(rendering, verdict, url="https://v/old.mp4", message="old", progress=99.0, look_in=1.0) == []
    assert book.redis.hgetall("renderline:render:r1") == before
    assert book.stands("due:main") == due
    assert book.find(newer, "done", url="https://v/1.mp4") == [("r1", "delivered")]


def test_waiting_is_a_poll_and_an_error_is_a_fault(book, rendering):
    assert book.find(rendering, "wait", look_in=3.0, progress=12.5) == []
    record = book.record()
    assert (record["progress"], record["polls"], record["note"]) == (12.5, 1, None)
    assert book.stands("due:main") == book.clock.now + 3.0
    (look,) = book.look_again()
    assert look.progress == 12.5
    book.find(look, "error", look_in=4.0, message="the vendor is away")
    record = book.record()
    assert (record["progress"], record["polls"], record["note"]) == (12.5, 1, "the vendor is away")
    assert record["error"] is None
    assert book.stands("due:main") == book.clock.now + 4.0
    book.sound()


def test_a_good_look_forgives_the_faults_before_it(book, rendering):
    look = rendering
    for _ in range(3):
        book.find(look, "error", look_in=GRACE * 2, message="away")
        (look,) = book.look_again()
    assert look.faults == 3
    book.find(look, "wait", look_in=GRACE * 2)
    (look,) = book.look_again()
    assert look.faults == 0


def test_progress_never_falls(book, rendering):
    book.find(rendering, "wait", look_in=1.0, progress=40.0)
    stamp = book.redis.hget("renderline:render:r1", "progress_at")
    (look,) = book.look_again()
    book.find(look, "wait", look_in=1.0, progress=38.0)
    assert book.record()["progress"] == 40
    assert book.redis.hget("renderline:render:r1", "progress_at") == stamp


@pytest.mark.parametrize(("hooks", "state"), [(0, "delivered"), (2, "completed")])
def test_done(book, hooks, state):
    book.accept(hooks=hooks)
    (look,) = book.look(book.started())
    assert book.find(look, "done", url="https://v/1.mp4", progress=100.0, credit=2.0) == [("r1", state)]
    record = book.record()
    assert (record["state"], record["download_url"], record["progress"], record["credit"]) == (
        state,
        "https://v/1.mp4",
        100,
        2,
    )
    assert list(record["times"])[-1] == state
    book.sound()
    assert book.find(look, "failed", message="late") == []


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("verdict", ["failed", "expired"])
def test_ends_with_an_error(book, verdict, confirmed):
    book.accept(hooks=1)
    (look,) = book.look(book.started(confirmed=confirmed))
    moved = book.find(look, verdict, code="7001", message="no such voice", origin="vendor", progress=40.0)
    assert moved == [("r1", verdict)]
    record = book.record()
    assert record["error"] == {"code": "7001", "message": "no such voice", "origin": "vendor"}
    assert record["progress"] == 40
    book.sound()


@pytest.mark.parametrize(("verdict", "details"), [("started", {"project_id": "found"}), ("done", {"url": "https://v"})])
def test_evidence_confirms_an_unconfirmed_render(book, verdict, details):
    book.accept(hooks=1)
    (look,) = book.look(book.started(confirmed=False))
    assert look.state == "unconfirmed"
    expected = "rendering" if verdict == "started" else "completed"
    assert book.find(look, verdict, look_in=1.0, **details) == [("r1", expected)]
    assert book.state() == expected
    assert {"unconfirmed", "rendering", expected} <= set(book.record()["times"])
    book.sound()
    if verdict == "started":
        assert book.record()["project_id"] == "found"
        assert book.stands("due:main") == book.clock.now + 1.0


def test_untouched_twice_leads_back_to_submitting_at_the_export(book):
    book.accept()
    (look,) = book.look(book.started(confirmed=False))
    assert book.find(look, "untouched", look_in=GRACE * 2) == []
    first_at = book.clock.now
    (look,) = book.look_again()
    assert (look.untouched, look.untouched_at) == (1, first_at)
    assert book.find(look, "resubmit") == [("r1", "submitting")]
    book.sound()
    claim = book.claim()
    assert (claim.stage, claim.project_id, claim.intent) == ("export", "p-r1", None)


def test_an_untouched_look_does_not_outlive_the_evidence(book):
    """What was seen before a confirmed start says nothing about a later unknown outcome."""
    book.accept()
    (look,) = book.look(book.started(confirmed=False))
    book.find(look, "untouched", look_in=GRACE * 2)
    (look,) = book.look_again()
    book.find(look, "resubmit")
    claim = book.claim()
    book.ledger.intend(claim, "export", lease=LEASE)
    _, kick = book.ledger.start(claim, confirmed=False, project_id="p-r1", look_in=1.0)
    (look,) = book.look(kick)
    assert (look.untouched, look.untouched_at) == (0, None)


@pytest.mark.parametrize("evidence", ["adopt", "hint"])
def test_evidence_that_comes_during_a_look_without_any_is_not_undone_by_it(book, evidence):
    """The look found nothing, the vendor called meanwhile: the render must not be lost between the two."""
    book.accept()
    (look,) = book.look(book.started(confirmed=False))
    if evidence == "adopt":
        assert book.operations.adopt("r1", "p9")[0]
    else:
        assert book.operations.hint("r1", progress=25.0)[0] == "rendering"
    assert book.find(look, "resubmit") == []
    assert book.state() == "rendering"
    book.sound()


def test_a_batch_is_recorded_one_by_one(book):
    looks = {look.id: look for look in book.look(book.started_all("a", "b", "c"))}
    assert set(looks) == set("abc")
    moved = book.ledger.record_findings(
        [
            PollResult("a", looks["a"].epoch, "done", url="https://v/a.mp4"),
            PollResult("nobody", 1, "done", url="https://v/x.mp4"),
            PollResult("b", looks["b"].epoch + 1, "failed", message="not mine"),
            PollResult("c", looks["c"].epoch, "failed", message="no"),
        ]
    )
    assert moved == [("a", "delivered"), ("c", "failed")]
    assert book.state("b") == "rendering"
    assert book.ledger.record("nobody") is None
    assert book.ledger.record_findings([]) == []
