"""Positions in the stream of all events, from which a reader goes on."""

from __future__ import annotations

from harness import until
from harness.ledger import LedgerDriver
from renderline.ledger import Queries


def test_a_position_does_not_tell_when_the_newest_event_was(driver: LedgerDriver) -> None:
    """That may be another tenant's. Asked again and again, it would show when others are busy."""
    queries = Queries(driver.ledger)
    driver.accept("theirs", tenant="globex")
    newest = driver.redis.xrevrange("renderline:events", count=1)[0][0]
    first = until(lambda: found if (found := queries.last_event()) != newest else None, seconds=2, what="another one")
    until(lambda: queries.last_event() != first, seconds=2, what="one of a later time")
    assert not list(queries.events(after=first, block=0.001))


def test_no_event_after_a_position_is_missed_and_none_before_it_comes_again(driver: LedgerDriver) -> None:
    queries = Queries(driver.ledger)
    for number in range(200):
        driver.accept(f"before-{number}")
        position = queries.last_event()
        driver.accept(f"after-{number}")
        assert [fields["id"] for _, fields in queries.events(after=position, block=0.001)] == [f"after-{number}"]
