"""One thread polls the server for all that wait for the disk; the others sleep until it wakes them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import ConnectionError, Redis

from harness import until
from renderline.ledger import DiskSync, NotSynced
from renderline.ledger.durability import Persistence


class _Told(DiskSync):
    """A disk whose state the test sets, on a clock of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Redis(), **options)
        self.time, self.broken, self.threads = 0.0, 0, set[int]()
        self.go, self.looking = threading.Event(), threading.Event()

    def persistence(self) -> Persistence:
        return Persistence(watched=True)

    def _check(self, how: Persistence) -> tuple[float, bool]:
        self.looking.set()
        self.go.wait(60)
        self.threads.add(threading.get_ident())
        if self.broken:
            self.broken -= 1
            raise ConnectionError("away")
        self.time += 2.0
        return self.time, True


def _settle(disk: DiskSync) -> str:
    try:
        disk.wait()
    except (ConnectionError, NotSynced) as error:
        return type(error).__name__
    return "on disk"


def _outcomes(disk: _Told, count: int) -> list[str]:
    with ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(_settle, disk) for _ in range(count)]
        until(lambda: len(disk._waiters) == count)
        disk.go.set()
        return [one.result(60) for one in waiting]


def test_one_thread_watches_while_the_others_sleep() -> None:
    disk = _Told(timeout=60)
    assert set(_outcomes(disk, 20)) == {"on disk"}
    # The first thread, before the others came, and the next one after it.
    assert len(disk.threads) <= 2
    assert not disk._waiters
    assert disk._watcher is None


def test_another_one_goes_on_when_the_one_who_watches_fails() -> None:
    disk = _Told(timeout=60)
    disk.broken = 3
    assert sorted(_outcomes(disk, 20)) == ["ConnectionError"] * 3 + ["on disk"] * 17
    assert disk.time
    assert not disk._waiters
    assert disk._watcher is None


@pytest.mark.parametrize("count", [1, 5])
def test_who_gave_up_leaves_the_watch_to_the_next(count: int) -> None:
    disk = _Told(timeout=0.01)
    with ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(_settle, disk) for _ in range(count)]
        # The others may have given up by now, or come only after it.
        assert disk.looking.wait(60)
        disk.go.set()
        assert {one.result(60) for one in waiting} <= {"NotSynced", "on disk"}
    assert not disk._waiters
    assert disk._watcher is None
    disk._timeout = 60
    assert _settle(disk) == "on disk"
