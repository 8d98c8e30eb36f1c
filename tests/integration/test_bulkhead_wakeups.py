"""A thread that waits for the bulkhead sleeps until it may go on: waking all for one costs every thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import until
from renderline.bulkhead import Bulkhead

THREADS = 40


class _Counted(Bulkhead):
    """Counts how often waiting threads check for a place."""

    looks = 0

    def _free(self, account: str) -> bool:
        self.looks += 1
        return super()._free(account)


def _one_after_the_other(places: Bulkhead, account: str) -> bool:
    taken = places.acquire(account, patience=60)
    places.release(account)
    return taken


def test_a_place_that_gets_free_does_not_wake_all_who_wait() -> None:
    places = _Counted(each=1, most=10)
    assert places.acquire("a", patience=0)
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(_one_after_the_other, places, "a") for _ in range(THREADS)]
        until(lambda: places._waiting and places._waiting["a"].count == THREADS)
        places.release("a")
        assert all(one.result() for one in waiting)
    # Each looks when it comes and when it is woken, and may find that another was faster.
    assert places.looks <= 4 * THREADS
    assert not places._waiting


@pytest.mark.parametrize("most", [1, 2])
def test_a_place_that_another_account_left_is_not_slept_through(most: int) -> None:
    places = Bulkhead(each=1, most=most, strict=True)
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(_one_after_the_other, places, f"account {n % 4}") for n in range(THREADS)]
        assert all(one.result() for one in waiting)
    assert places.acquired == 0


def test_who_waited_in_vain_leaves_nothing_behind() -> None:
    places = Bulkhead(each=1, most=1, strict=True)
    assert places.acquire("a", patience=0)
    began = time.monotonic()
    assert not places.acquire("b", patience=0.05)
    assert time.monotonic() - began >= 0.05
    assert not places._waiting


def test_more_places_are_noticed_by_who_waits() -> None:
    places = Bulkhead(each=1, most=1, strict=True)
    assert places.acquire("a", patience=0)
    done = threading.Event()
    thread = threading.Thread(target=lambda: places.acquire("a", patience=60) and done.set())
    thread.start()
    until(lambda: places._waiting)
    places.resize(each=2, most=2)
    assert done.wait(60)
    thread.join()
