"""A wait that the vendor asks for has an end: it is capped, deadlines hold meanwhile, and an operator can lift it."""

from __future__ import annotations

import pytest

from harness.ledger import GRACE
from renderline.ledger import Commands
from renderline.renders import FINAL
from renderline.submission.outcome import NotMyTurn, Parked, Submitted

CREATE = "POST /api/odin/v3/editor/project"
PROGRESS = "GET /api/odin/v3/editor/progress/{key}"
DECADES = 1.8e9
PROJECT = {
    "kind": "project",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}


@pytest.mark.parametrize("call", [CREATE, PROGRESS])
def test_an_epoch_time_in_retry_after_does_not_freeze_an_account(stage, call):
    stage.sandbox.control("POST", "faults", call=call, fault="429", seconds=DECADES, times=1)
    stage.accept(PROJECT, "r1")
    outcome = stage.submit("r1")
    if call == PROGRESS:
        stage._pump(stage.kicks.pop())
    else:
        assert isinstance(outcome, Parked)
    assert 0 < stage.redis.pttl("renderline:quiet:main") <= 300_000
    assert stage.record("r1")["state"] not in FINAL


def test_a_submission_put_off_by_the_vendor_goes_on_when_the_account_is_resumed(stage):
    stage.sandbox.control("POST", "faults", call=CREATE, fault="429", seconds=200, times=1)
    stage.accept(PROJECT, "r1")
    assert isinstance(stage.submit("r1"), Parked)
    assert stage.flow.unpark() == []
    assert isinstance(stage.submit("r1"), NotMyTurn)
    assert Commands(stage.ledger).resume("main")
    stage.redis.delete("renderline:pace:main")
    assert [one for one, _ in stage.flow.unpark()] == ["r1"]
    assert isinstance(stage.submit("r1"), Submitted)


def test_what_is_written_down_is_capped_once_more(book):
    book.flow.slow_down("main", seconds=DECADES)
    assert 0 < book.redis.pttl("renderline:quiet:main") <= 3600_000


def test_a_render_of_a_quiet_account_expires_on_time(book):
    """No poll comes that could find it late."""
    book.accept(deadline=600.0)
    book.started()
    book.flow.slow_down("main", seconds=3000.0)
    book.clock.forward(601.0)
    expired, (kick,) = book.ledger.overdue()
    assert expired == []
    assert book.look(kick) == []
    book.clock.forward(GRACE - 1)
    assert book.ledger.overdue()[0] == [], "the wait may end within the grace"
    book.clock.forward(2.0)
    assert book.ledger.overdue()[0] == ["r1"]
    assert book.record()["error"]["code"] == "deadline"
    book.sound()


def test_a_render_of_an_account_in_an_outage_is_not_given_up_unseen(book):
    """It may be finished, and is paid for."""
    book.accept(deadline=600.0)
    book.started()
    book.flow.call_failed("main", failures=1, pause=1e6)
    for _ in range(3):
        book.clock.forward(601.0)
        assert book.ledger.overdue()[0] == []
    assert book.state() == "rendering"


def test_resume_lets_polls_go_on_at_once(book):
    book.accept()
    kick = book.started()
    book.flow.slow_down("main", seconds=300.0)
    assert book.look(kick) == []
    book.ledger.rest_pump("main", slot=kick.slot, ticket=kick.ticket, limit=9)
    assert book.ledger.pumps() == []
    assert book.operations.resume("main")
    (kick,) = book.ledger.pumps()
    assert kick.delay == 0.0
    assert [look.id for look in book.look(kick)] == ["r1"]
