"""docs/logs.md lists every line that the code logs."""

from __future__ import annotations

from harness.log_events import PAGE, events, with_table


def test_the_page_has_every_event_with_its_level_and_fields():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page), "write it anew: python -m harness.log_events"
    assert len(events()) > 80
    assert {"transition", "accepted", "answered", "hook failed"} <= {event.name for event in events()}


def test_an_event_is_the_same_text_each_time_so_that_it_can_be_searched_for():
    assert [event for event in events() if not event.name.strip() or "{" in event.name] == []
