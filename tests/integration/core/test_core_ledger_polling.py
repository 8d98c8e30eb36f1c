"""Claiming what is due, recording what was seen, keeping the pumps going, and expiring what is late."""

import pytest

from renderline.ledger import Finding

GRACE, LEASE = 30.0, 20.0


@pytest.fixture
def rendering(book):
    """A render that is due for its first look, and the look."""
    book.accept()
    kick = book.started()
    (look,) = book.look(kick)
    return look


def run_pump(book, kick, *, limit=64):
    """Run a pump without looking at anything; returns the delay and ticket of its next run."""
    book.clock.forward(kick.delay)
    batch = book.ledger.claim_due(kick.account, slot=kick.slot, ticket=kick.ticket, limit=limit, lease=LEASE)
    return batch, book.ledger.rest_pump(kick.account, slot=kick.slot, ticket=kick.ticket, limit=limit)


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
            Finding("a", looks["a"].epoch, "done", url="https://v/a.mp4"),
            Finding("nobody", 1, "done", url="https://v/x.mp4"),
            Finding("b", looks["b"].epoch + 1, "failed", message="not mine"),
            Finding("c", looks["c"].epoch, "failed", message="no"),
        ]
    )
    assert moved == [("a", "delivered"), ("c", "failed")]
    assert book.state("b") == "rendering"
    assert book.ledger.record("nobody") is None
    assert book.ledger.record_findings([]) == []


# -- pumps


def test_an_old_ticket_does_nothing(book):
    book.accept()
    kick = book.started()
    batch, (_, ticket) = run_pump(book, kick)
    assert len(batch.looks) == 1
    for _ in range(2):
        assert book.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=9, lease=LEASE) is None
        assert book.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=9) is None
    assert book.ledger.claim_due("main", slot=0, ticket=ticket, limit=9, lease=LEASE) is not None


def test_a_pump_retires_when_nothing_is_left(book, rendering):
    book.find(rendering, "done", url="https://v/1.mp4")
    (ticket,) = {int(book.redis.hget("renderline:pump:main", "0:ticket"))}
    assert book.ledger.rest_pump("main", slot=0, ticket=ticket, limit=64) is None
    assert book.ledger.pumps() == []
    book.accept("r2")
    assert book.started("r2") is not None


def test_a_dead_pump_is_started_again(book):
    book.accept()
    lost = book.started(look_in=5.0)  # a message that the broker lost
    book.clock.forward(5.0 + GRACE - 1)
    assert book.ledger.pumps() == []
    book.clock.forward(2)
    (kick,) = book.ledger.pumps()
    assert book.ledger.pumps() == []
    assert kick.delay == 0.0
    assert book.ledger.claim_due("main", slot=lost.slot, ticket=lost.ticket, limit=9, lease=LEASE) is None
    assert [look.id for look in book.look(kick)] == ["r1"]


def test_a_pump_that_died_at_work_is_started_again_after_its_lease(book):
    book.accept()
    book.look(book.started())
    book.clock.forward(LEASE - 1)
    assert book.ledger.pumps() == []
    book.clock.forward(2)
    (kick,) = book.ledger.pumps()
    assert [look.id for look in book.look(kick)] == ["r1"]


def test_more_than_a_batch_gets_a_further_pump_which_retires_when_it_is_done(book):
    kick = book.started_all(*(f"r{index}" for index in range(5)))
    book.clock.forward(kick.delay)
    first = book.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=2, lease=LEASE)
    assert len(first.looks) == 2
    assert (first.more.slot, first.more.delay) == (1, 0.0)
    second = book.ledger.claim_due("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    assert len(second.looks) == 2
    assert second.more.slot == 2
    third = book.ledger.claim_due("main", slot=2, ticket=second.more.ticket, limit=2, lease=LEASE)
    assert len(third.looks) == 1
    assert third.more is None
    seen = [look.id for batch in (first, second, third) for look in batch.looks]
    assert sorted(seen) == [f"r{index}" for index in range(5)]
    assert book.ledger.rest_pump("main", slot=2, ticket=second.more.ticket, limit=2) is None
    assert book.ledger.rest_pump("main", slot=1, ticket=first.more.ticket, limit=2) is None
    assert book.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=2) is not None


def test_there_is_a_limit_to_the_pumps_of_an_account(book):
    kick = book.started_all(*(f"r{index}" for index in range(20)))
    book.clock.forward(kick.delay)
    slots, claimed = [], 0
    while kick:
        slots.append(kick.slot)
        batch = book.ledger.claim_due("main", slot=kick.slot, ticket=kick.ticket, limit=1, lease=LEASE)
        claimed += len(batch.looks)
        kick = batch.more
    assert slots == list(range(8))
    assert claimed == 8
    ticket = int(book.redis.hget("renderline:pump:main", "0:ticket"))
    assert book.ledger.rest_pump("main", slot=0, ticket=ticket, limit=1)[0] == 0.0


def test_the_last_pump_does_not_retire_before_the_work(book):
    """A further pump stays when the first one died, or nobody would look until the next sweep."""
    kick = book.started_all(*(f"r{index}" for index in range(3)))
    book.clock.forward(kick.delay)
    first = book.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=2, lease=LEASE)
    for look in first.looks:
        book.find(look, "done", url="https://v")
    book.ledger.claim_due("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    # Slot 0 retires only with nothing to do, which is not the case, so it is made to by hand.
    book.redis.hdel("renderline:pump:main", "0:at", "0:busy")
    assert book.ledger.rest_pump("main", slot=1, ticket=first.more.ticket, limit=2) is not None


def test_accounts_have_pumps_of_their_own(book):
    book.accept("a", account="one")
    book.accept("b", account="two")
    kicks = [book.started("a"), book.started("b")]
    assert [(kick.account, kick.slot) for kick in kicks] == [("one", 0), ("two", 0)]
    assert [look.id for look in book.look(kicks[0])] == ["a"]
    book.clock.forward(LEASE + GRACE + 5)
    assert sorted(kick.account for kick in book.ledger.pumps()) == ["one", "two"]


def test_ended_renders_are_taken_off_the_list_of_due_ones(book):
    book.accept()
    kick = book.started()
    book.redis.zadd("renderline:due:main", {"ghost": 1})
    assert [look.id for look in book.look(kick)] == ["r1"]
    assert book.stands("due:main", "ghost") is None


# -- the deadline


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
