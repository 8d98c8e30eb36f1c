"""A paid call leaves only when its announcement is on the server's disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from harness import Valkey
from harness.fake_vendor import FakeVendor
from renderline.ledger import DiskSync, NotSynced, persistence
from renderline.ledger.durability import SECOND, _Waiter
from renderline.retry import RetryIn
from renderline.submission.outcome import Submitted
from tests.acceptance.faults.power_cuts import accept, submitter_of

Open = Callable[..., Redis]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Open]:
    """Start a server with these options, and return its client."""
    opened: list[tuple[Valkey, Redis]] = []

    def start(*options: str) -> Redis:
        valkey = Valkey(tmp_path, *options)
        valkey.start()
        opened.append((valkey, Redis(port=valkey.port, decode_responses=True)))
        return opened[-1][1]

    yield start
    for valkey, redis in opened:
        redis.close()
        valkey.__exit__()


def test_with_everysec_no_call_leaves_before_a_sync_can_have_ended(server: Open) -> None:
    redis = server("--appendfsync", "everysec")
    disk = DiskSync(redis, timeout=60)
    for _ in range(2):
        redis.set("announcement", "1")
        began = time.monotonic()
        disk.wait()
        # Also the second time, when WAITAOF of this server would have answered at once.
        assert time.monotonic() - began >= SECOND


def test_appendfsync_always_needs_no_wait(server: Open) -> None:
    redis = server("--appendfsync", "always")
    assert persistence(redis).synced
    redis.config_resetstat()
    disk = DiskSync(redis, mode="always")
    for _ in range(20):
        disk.wait()
    calls = redis.info("commandstats")
    assert sum(one["calls"] for name, one in calls.items() if name in ("cmdstat_info", "cmdstat_set")) <= 2


@pytest.mark.parametrize(
    "options", [("--appendfsync", "no"), ("--appendonly", "no")], ids=["never synced", "nothing kept"]
)
def test_where_nothing_can_be_seen_auto_goes_on_and_always_does_not(server: Open, options: tuple[str, ...]) -> None:
    redis = server(*options)
    assert persistence(redis).why
    DiskSync(redis, mode="auto").wait()
    with pytest.raises(NotSynced, match="append"):
        DiskSync(redis, mode="always").wait()


def test_a_hidden_setting_is_found_by_the_servers_behaviour(server: Open) -> None:
    redis = server("--appendfsync", "everysec")
    redis.execute_command("ACL", "SETUSER", "default", "-config")
    assert persistence(redis).watched


def test_a_disk_that_is_slow_is_not_waited_for_without_end(server: Open) -> None:
    redis = server("--appendfsync", "everysec")
    with pytest.raises(NotSynced, match="longer than"):
        DiskSync(redis, timeout=0.2).wait()


def test_nothing_is_exported_while_its_announcement_is_not_on_disk(server: Open) -> None:
    redis = server("--appendfsync", "everysec")
    with FakeVendor() as vendor, submitter_of(redis, vendor, clock=None) as submitter:
        accept(submitter.ledger, "r1")
        slow = replace(submitter, wait_for_disk=DiskSync(redis, timeout=0.2).wait)
        assert isinstance(slow.submit("r1"), RetryIn)
        assert (vendor.calls["draft"], vendor.calls["export"]) == (1, 0)
        # Nothing was sent, so there is nothing to be settled: the same draft is exported later.
        patient = replace(submitter, wait_for_disk=DiskSync(redis, timeout=60).wait)
        assert isinstance(patient.submit("r1"), Submitted)
        assert (vendor.calls["draft"], vendor.exports_of("r1")) == (1, 1)


def test_one_watch_serves_all_who_wait(server: Open) -> None:
    redis = server("--appendfsync", "everysec")
    disk = DiskSync(redis, timeout=60)
    disk.persistence()
    redis.config_resetstat()
    together = threading.Barrier(30)

    def wait() -> None:
        together.wait()
        disk.wait()

    began = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        for waiting in [pool.submit(wait) for _ in range(30)]:
            waiting.result()
    looks = redis.info("commandstats")["cmdstat_info"]["calls"]
    assert looks <= 25 * (time.monotonic() - began) + 2


LOOKS = [
    # (server's time, nothing under way), and whether the last of them ends the wait
    ([(0.0, True), (0.5, True), (1.0, True)], False),
    ([(0.0, True), (SECOND, True)], False),  # the sync may begin with this very look
    ([(0.0, True), (SECOND, True), (SECOND + 0.1, True)], True),
    ([(0.0, False), (SECOND, True), (SECOND + 0.1, True)], False),  # a sync from before, which covers less
    ([(0.0, True), (SECOND, False), (SECOND + 0.1, True)], False),
    ([(0.0, True), (SECOND, False), (5.0, True), (5.1, True)], True),
    ([(0.0, True), (SECOND, True), (SECOND + 0.1, False), (SECOND + 0.2, True)], False),
]


@pytest.mark.parametrize(("looks", "done"), LOOKS)
def test_what_was_seen_proves_that_a_sync_began_after_and_ended(looks: list[tuple[float, bool]], done: bool) -> None:
    waiter = _Waiter()
    for now, quiet in looks:
        assert not waiter.done
        waiter.saw(now, quiet=quiet)
    assert waiter.done is done
