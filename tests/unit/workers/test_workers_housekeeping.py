"""Chores that share a thread: each is done in its own interval, and none stops the others."""

from __future__ import annotations

import threading
from collections import Counter

from harness import until
from workers.housekeeping import Chore, ChoreThread


def test_chores_of_one_thread_have_intervals_of_their_own() -> None:
    done: Counter[str] = Counter()
    thread = ChoreThread(
        "chores",
        Chore("often", lambda: done.update(["often"]), every=0.001),
        Chore("once", lambda: done.update(["once"]), every=3600.0),
    )
    thread.start()
    until(lambda: done["often"] >= 5, what="five runs")
    thread.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert done["once"] == 1


def test_a_chore_that_fails_goes_on_and_so_do_the_others() -> None:
    failed, done = Counter[str](), Counter[str]()

    def fail(error: type[Exception]) -> None:
        failed[error.__name__] += 1
        raise error("broken")

    thread = ChoreThread(
        "chores",
        Chore("refused", lambda: fail(ConnectionError), every=0.001),
        Chore("broken", lambda: fail(ValueError), every=0.001),
        Chore("sound", lambda: done.update(["sound"]), every=0.001),
    )
    thread.start()
    until(lambda: done["sound"] >= 3 and min(failed["ConnectionError"], failed["ValueError"]) >= 3, what="three runs")
    thread.stop()
    thread.join(60)


def test_a_stopped_thread_begins_nothing_more() -> None:
    begun, go_on = threading.Event(), threading.Event()
    later: list[str] = []

    def long() -> None:
        begun.set()
        go_on.wait(60)

    thread = ChoreThread(
        "chores", Chore("long", long, every=3600.0), Chore("next", lambda: later.append("x"), every=1.0)
    )
    thread.start()
    assert begun.wait(60)
    thread.stop()
    go_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert later == []


def test_jitter_varies_the_interval_within_its_share() -> None:
    chore = Chore("sweep", lambda: None, every=10.0, jitter=0.1)
    intervals = [chore.interval() for _ in range(50)]
    assert all(9.0 <= one <= 11.0 for one in intervals)
    assert len(set(intervals)) > 1
