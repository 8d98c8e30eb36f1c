"""What the quarantine keeps: requests whole and first come first kept, of everything else the newest."""

from __future__ import annotations

import pytest

from renderline.ledger import quarantine
from renderline.ledger.quarantine import EntryNotFound, Quarantine, Unread

LATER = "later version"


@pytest.fixture
def store(redis):
    return Quarantine(redis)


def bodies(store):
    return [store.content(one.id).body for one in reversed(store.entries(limit=10_000))]


def test_a_long_request_is_kept_whole_and_other_messages_are_cut(store):
    long = b"x" * (quarantine.MOST_BYTES + 1)
    store.add_message(Unread(long, "requests", "why", LATER))
    store.add_message(Unread(long, "requests", "not JSON"))
    store.add_message(Unread(long, "submit", "why", LATER))
    assert sorted((one.size, one.whole) for one in store.entries()) == [
        (len(long), False),
        (len(long), False),
        (len(long), True),
    ]


def test_requests_are_not_pushed_out_by_other_messages_or_records(store, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST_ENTRIES", 3)
    store.add_message(Unread(b"request", "requests", "why", LATER))
    for number in range(5):
        store.add_message(Unread(b"%d" % number, "submit", "why"))
    assert sorted(bodies(store)) == [b"2", b"3", b"4", b"request"]


@pytest.mark.parametrize(("limit", "value"), [("MOST_REQUESTS", 2), ("MOST_REQUEST_BYTES", 20)])
def test_a_full_quarantine_keeps_what_it_has_and_says_so(store, monkeypatch, caplog, limit, value):
    monkeypatch.setattr(quarantine, limit, value)
    for number in range(4):
        store.add_message(Unread(b"request-%d" % number, "requests", "why", LATER))
    assert store.totals().not_kept_whole == 2
    whole = [one.id for one in store.entries() if one.id.startswith("request-")]
    assert sorted(store.content(one).body for one in whole) == [b"request-0", b"request-1"]
    assert len(bodies(store)) == 4, "the others are where the newest entries stay"
    store.drop(whole[0])
    store.add_message(Unread(b"request-5", "requests", "why", LATER))
    assert store.totals().not_kept_whole == 2, "there is room again"


def test_messages_are_counted_by_queue_and_kind(store):
    for queue, kind in (("requests", LATER), ("requests", LATER), ("poll", "malformed"), ("a queue", "unknown task")):
        store.add_message(Unread(b"x", queue, "why", kind))
    assert store.totals().seen == {"other unknown task": 1, "poll malformed": 1, f"requests {LATER}": 2}
    assert store.totals().kept == 4


def test_what_operators_do_is_reported(redis):
    done = []
    store = Quarantine(redis, on_action=lambda *action: done.append(action))
    for _ in range(2):
        store.add_message(Unread(b"x", "requests", "why", LATER))
    second, first = (one.id for one in store.entries())
    store.requeue(first)
    store.drop(second)
    with pytest.raises(EntryNotFound):
        store.drop(second)
    assert done == [("requeued", first, "requests"), ("dropped", second, "requests")]
