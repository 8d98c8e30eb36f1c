"""Which hooks wait for which: one that fails holds up only those that tell its outcome, and these not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from harness.ledger import GRACE, LEASE, Book


def claimed(book: Book, index: int) -> Any:
    return book.ledger.claim_hook("r1", index, lease=LEASE)


def fail(book: Book, index: int, *, retry_in: float) -> list[int]:
    """Let one try fail; returns the hooks that are sent upon that."""
    claim = claimed(book, index)
    assert claim.verdict == "yours"
    following: list[tuple[str, int]] = []
    book.ledger.settle_hook(
        "r1", index, claim, outcome="retrying", retry_in=retry_in, error="away", following=following.extend
    )
    return [index for _, index in following]


def sent(book: Book) -> list[int]:
    return [index for _, index in book.ledger.send_hooks(["r1"])]


def test_a_failing_endpoint_does_not_hold_up_the_download(book: Book) -> None:
    book.completed(hooks=("http", "download"))
    assert sent(book) == [0, 1], "both at once"
    fail(book, 0, retry_in=3600.0)
    assert claimed(book, 1).verdict == "yours"


def test_a_failing_endpoint_does_not_hold_up_another_one(book: Book) -> None:
    book.completed(hooks=("http", "http", "celery"))
    assert sent(book) == [0, 1, 2]
    fail(book, 0, retry_in=3600.0)
    assert (claimed(book, 1).verdict, claimed(book, 2).verdict) == ("yours", "yours")


def test_an_announcement_waits_for_the_download_before_it(book: Book) -> None:
    book.completed(hooks=("download", "http"))
    assert sent(book) == [0]
    assert claimed(book, 1).verdict == "early"
    claim, following = claimed(book, 0), []
    fields = {"stored_url": "file:///v/r1.mp4"}
    book.ledger.settle_hook("r1", 0, claim, outcome="delivered", fields=fields, following=following.extend)
    assert following == [("r1", 1)], "sent as soon as the download is there"
    assert claimed(book, 1).record["stored_url"] == "file:///v/r1.mp4"


def test_it_waits_no_longer_once_the_download_is_retried_much_later(book: Book) -> None:
    book.completed(hooks=("download", "http"))
    fail(book, 0, retry_in=30.0)
    assert claimed(book, 1).verdict == "early"
    book.clock.forward(30.0)
    assert fail(book, 0, retry_in=600.0) == [1]
    assert claimed(book, 1).verdict == "yours"
    book.clock.forward(600.0)
    assert claimed(book, 0).verdict == "yours"


def test_it_waits_no_longer_than_a_quarter_of_an_hour_for_a_download_that_nobody_tries(book: Book) -> None:
    book.completed(hooks=("download", "http"))
    book.ledger.send_hooks(["r1"])
    book.clock.forward(901.0)
    assert claimed(book, 1).verdict == "yours"


def test_a_long_wait_stands_in_the_ledger_and_outlives_the_retention(book: Book) -> None:
    book.accept(hooks=1)
    (look,) = book.look(book.started())
    book.find(look, "failed", message="no")
    fail(book, 0, retry_in=14_400.0)
    book.clock.forward(14_000.0)
    assert book.ledger.silent() == []
    assert book.ledger.forget(retention=100.0) == 0
    book.clock.forward(402.0)
    assert [one for one, _, _ in book.ledger.silent()] == ["r1"]
    assert sent(book) == [0]


def test_each_hook_is_sent_at_its_own_time(book: Book) -> None:
    book.completed(hooks=("http", "http"))
    fail(book, 0, retry_in=100.0)
    fail(book, 1, retry_in=10_000.0)
    book.clock.forward(102.0)
    assert [one for one, _, _ in book.ledger.silent()] == ["r1"], "the later one's time hid it"
    assert sent(book) == [0]


def test_a_replay_begins_the_schedule_anew(book: Book) -> None:
    book.accept(hooks=1)
    (look,) = book.look(book.started())
    book.find(look, "failed", message="no")
    book.ledger.settle_hook("r1", 0, claimed(book, 0), outcome="dead", error="away")
    book.clock.forward(300_000.0)
    assert book.operations.replay("r1", 0)
    book.clock.forward(5.0)
    assert claimed(book, 0).seconds == pytest.approx(5.0, abs=0.01)


def test_a_record_of_an_earlier_version_keeps_the_requests_order(book: Book) -> None:
    book.completed(hooks=2)
    book.redis.hdel("renderline:render:r1", "awaited")
    assert sent(book) == [0]
    assert claimed(book, 1).verdict == "early"


def test_what_stands_in_the_queue_is_not_sent_again(book: Book) -> None:
    book.completed(hooks=1)
    assert sent(book) == [0]
    assert sent(book) == []
    book.clock.forward(GRACE + 1)
    assert book.ledger.silent(oldest={"hook": "r1:0"}) == [("r1", "completed", "normal")]
    assert sent(book) == []
    book.clock.forward(GRACE + 1)
    book.ledger.silent()
    assert sent(book) == [0], "lost"


@pytest.mark.parametrize("host", ["http://host", ""], ids=["waits for its host", "waits for any place"])
def test_a_waiting_hook_whose_message_was_lost_is_sent_again_within_two_graces(book: Book, host: str) -> None:
    book.completed(hooks=1)
    assert sent(book) == [0]
    book.ledger.put_off_hook("r1", 0, claimed(book, 0), host=host)
    book.clock.forward(4 * GRACE)
    # Its turn has come; the worker that was to publish it dies before it does.
    assert book.ledger.next_hooks(1)[0] == (("r1", 0),)
    book.clock.forward(GRACE + 1)
    assert book.ledger.silent() == [("r1", "completed", "normal")]
    book.clock.forward(GRACE + 1)
    book.ledger.silent()
    assert sent(book) == [0]
