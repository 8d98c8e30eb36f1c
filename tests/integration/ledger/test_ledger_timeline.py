"""The timeline of a render, as it is read."""

from __future__ import annotations

from harness.ledger import LedgerDriver
from renderline.ledger import Timeline

ONE = "1" * 32


def test_a_render_without_noted_entries_shows_the_transitions_of_its_record(redis):
    driver = LedgerDriver(redis)
    driver.accept(ONE)
    driver.start(ONE)
    redis.delete(f"renderline:timeline:{ONE}")
    entries = Timeline(driver.ledger).of(ONE)
    assert [(entry["type"], entry["name"], entry["attempt"]) for entry in entries] == [
        ("transition", "accepted", 1),
        ("transition", "submitting", 1),
        ("transition", "rendering", 1),
    ]
    assert Timeline(driver.ledger).of("0" * 32) == []
