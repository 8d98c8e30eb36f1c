"""A record that cannot be read is set aside with its id; the renders beside it go on."""

from __future__ import annotations

from typing import Any

import pytest
from redis import ResponseError

from renderline.ledger import DuePoll, Filter, PollResult, Queries
from renderline.ledger.quarantine import Quarantine

NEIGHBOURS = [f"n{number}" for number in range(5)]
KEY = "renderline:render:bad"


def spoil(book: Any, how: str) -> None:
    """Make the record of `bad` unreadable: a field lost or of nonsense, or another type of value in its place."""
    what, _, name = how.partition(" ")
    if what == "lost":
        book.redis.hdel(KEY, name)
    elif what == "nonsense":
        book.redis.hset(KEY, name, "nonsense")
    else:
        book.redis.delete(KEY)
        book.redis.set(KEY, "no hash")


def set_aside(book: Any) -> set[str | None]:
    return {one.render_id for one in Quarantine(book.redis).entries()}


UNREADABLE = [
    "lost deadline_at",
    "lost t:rendering",
    "nonsense epoch",
    "nonsense deadline_at",
    "nonsense polls",
    "type",
]


@pytest.mark.parametrize("how", [*UNREADABLE, "type"])
def test_a_corrupt_record_does_not_stop_the_polls_of_its_account(book: Any, how: str) -> None:
    kick = book.started_all("bad", *NEIGHBOURS)
    spoil(book, how)
    looks = book.look(kick)
    assert sorted(look.id for look in looks) == NEIGHBOURS
    moved = book.ledger.record_findings([_done(look) for look in looks])
    assert sorted(one for one, _ in moved) == NEIGHBOURS
    assert set_aside(book) == {"bad"}
    assert book.stands("due:main", "bad") is None
    assert book.redis.xlen("renderline:quarantine") == 1, "said once"


def test_a_record_that_breaks_between_look_and_finding_does_not_take_its_batch_along(book: Any) -> None:
    looks = book.look(book.started_all("bad", *NEIGHBOURS))
    spoil(book, "type")
    moved = book.ledger.record_findings([_done(look) for look in looks])
    assert sorted(one for one, _ in moved) == NEIGHBOURS
    assert set_aside(book) == {"bad"}


@pytest.mark.parametrize("how", ["type", "lost deadline", "nonsense deadline", "nonsense hooks", "lost hooks"])
def test_a_corrupt_record_does_not_keep_others_from_expiring(book: Any, how: str) -> None:
    book.look(book.started_all("bad", *NEIGHBOURS))
    spoil(book, how)
    book.clock.forward(601)
    for kick in book.ledger.overdue()[1]:
        book.look(kick)
    book.clock.forward(31)
    expired, _ = book.ledger.overdue()
    assert set(NEIGHBOURS) <= set(expired)
    assert book.stands("deadline", "bad") is None


def test_a_corrupt_record_does_not_keep_the_sweep_from_others(book: Any) -> None:
    for one in ("bad", *NEIGHBOURS):
        book.accept(one)
    spoil(book, "type")
    book.clock.forward(31)
    assert sorted(one for one, _, _ in book.ledger.silent()) == NEIGHBOURS
    assert set_aside(book) == {"bad"}


def test_a_silent_record_without_a_priority_is_sent_again_as_a_normal_one(book: Any) -> None:
    book.accept("bad")
    spoil(book, "lost priority")
    book.clock.forward(31)
    assert book.ledger.silent() == [("bad", "accepted", "normal")]


def test_a_corrupt_record_does_not_keep_parked_ones_waiting(book: Any) -> None:
    book.operations.pause("main")
    for one in ("bad", *NEIGHBOURS):
        book.accept(one)
        assert book.ledger.begin_submission(one, lease=20.0) is None
    spoil(book, "type")
    book.operations.resume("main")
    assert sorted(one for one, _ in book.flow.unpark()) == NEIGHBOURS
    assert set_aside(book) == {"bad"}


@pytest.mark.parametrize("how", ["type", "nonsense hooks"])
def test_a_corrupt_record_does_not_keep_finished_ones_from_being_dropped(book: Any, how: str) -> None:
    for one in ("bad", *NEIGHBOURS):
        book.accept(one)
        book.operations.cancel(one)
    spoil(book, how)
    book.clock.forward(100)
    book.ledger.forget(retention=50)
    assert book.ledger.records(NEIGHBOURS) == [None] * 5


@pytest.mark.parametrize("how", ["lost deadline", "lost stage", "lost kind", "nonsense failures"])
def test_a_corrupt_record_that_is_to_be_submitted_is_set_aside_once(book: Any, how: str) -> None:
    book.accept("bad")
    spoil(book, how)
    assert book.ledger.begin_submission("bad", lease=20.0) is None
    assert set_aside(book) == {"bad"}
    book.clock.forward(10_000)
    assert book.ledger.silent() == []


@pytest.mark.parametrize(
    "how", ["lost kind", "nonsense progress", "nonsense h0:attempts", "nonsense deadline_at", "type"]
)
def test_a_corrupt_record_is_listed_and_hides_no_other(book: Any, how: str) -> None:
    for one in ("bad", *NEIGHBOURS):
        book.accept(one, hooks=1)
    spoil(book, how)
    page, _ = Queries(book.ledger).page(Filter())
    found = {record["id"]: record for record in page}
    assert set(found) == {"bad", *NEIGHBOURS}
    assert found["bad"]["error"]["code"] == "unreadable_record"
    assert found["bad"].keys() == found["n0"].keys()


def test_a_record_whose_fixed_data_is_no_json_hides_no_other(book: Any) -> None:
    for one in ("bad", "n0"):
        book.accept(one, hooks=1)
    book.redis.set("renderline:meta:bad", "{half")
    bad, good = book.ledger.records(["bad", "n0"])
    assert (bad["error"]["code"], good["error"]) == ("unreadable_record", None)


@pytest.mark.parametrize("how", ["type", "nonsense hooks"])
def test_a_corrupt_record_keeps_no_hook_of_others_back(book: Any, how: str) -> None:
    for one in ("bad", "n0"):
        book.completed(one)
    spoil(book, how)
    assert book.ledger.owed_hooks(["bad", "n0"]) == [[], [0]]


def test_a_hook_of_a_record_that_cannot_be_read_is_not_tried_for_ever(book: Any) -> None:
    book.completed("bad")
    book.redis.set("renderline:meta:bad", "{half")
    assert book.ledger.claim_hook("bad", 0, lease=20.0).verdict == "over"
    assert set_aside(book) == {"bad"}


def test_a_server_that_takes_no_writes_has_no_record_set_aside(book: Any) -> None:
    for one in NEIGHBOURS:
        book.accept(one)
    book.clock.forward(31)
    book.redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(ResponseError, match="maxmemory"):
            book.ledger.silent()
    finally:
        book.redis.config_set("maxmemory", 0)
    assert set_aside(book) == set()
    assert sorted(one for one, _, _ in book.ledger.silent()) == NEIGHBOURS


def _done(look: DuePoll) -> PollResult:
    return PollResult(look.id, look.epoch, "done", url="https://v/1.mp4")
