"""The doctor's results that follow from plain facts."""

import pytest

from renderline.ledger import Persistence
from workers.cli.checks import processes, server, storage

GOOD = {
    "redis_version": "7.2.4",
    "valkey_version": "9.1.0",
    "role": "master",
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
    "used_memory": 1 << 20,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
}


def verdict_of(changes, *, snapshots=False):
    return {one.check: one.verdict for one in server.of_info({**GOOD, **changes}, snapshots=snapshots)}


def test_a_good_server():
    assert set(verdict_of({}).values()) == {"ok"}


@pytest.mark.parametrize(
    ("changes", "check", "verdict"),
    [
        ({"redis_version": "6.0.16"}, "redis", "fail"),
        ({"redis_version": ""}, "redis", "fail"),
        ({"dragonfly_version": "df-v1.40.1"}, "redis", "fail"),
        ({"mvcc_depth": 0}, "redis", "fail"),
        ({"role": "slave"}, "redis role", "fail"),
        ({"maxmemory_policy": "allkeys-lru"}, "redis memory", "fail"),
        ({"maxmemory_policy": "volatile-ttl", "maxmemory": 1 << 30}, "redis memory", "fail"),
        ({"maxmemory": 1 << 20}, "redis memory", "warn"),
        ({"aof_enabled": 0}, "redis persistence", "warn"),
        ({"aof_last_write_status": "err"}, "redis persistence", "fail"),
        ({"rdb_last_bgsave_status": "err"}, "redis persistence", "fail"),
    ],
)
def test_a_server_with_one_fault(changes, check, verdict):
    found = verdict_of(changes)
    assert found.pop(check) == verdict
    assert set(found.values()) == {"ok"}


def test_a_part_of_a_cluster():
    found = verdict_of({"cluster_enabled": 1})
    assert {check for check, verdict in found.items() if verdict == "fail"} == {"redis", "redis topology"}


def test_what_a_failover_may_lose():
    def found(replicas: int, wanted: int, *, several: bool) -> list[str]:
        info = {**GOOD, "connected_slaves": replicas}
        return [one.verdict for one in server.of_replicas(info, wanted, several=several)]

    assert found(1, 1, several=True) == ["ok"]
    assert found(0, 1, several=True) == ["fail"]
    assert found(1, 0, several=True) == ["warn"]
    assert found(0, 0, several=False) == []


def test_a_server_that_hides_its_policy():
    found = {one.check: one for one in server.of_info({"redis_version": "7.0.0"}, snapshots=True)}
    assert found["redis memory"].verdict == "warn"


@pytest.mark.parametrize(("snapshots", "saves"), [(True, 0), (None, 3)])
def test_snapshots_alone_lose_what_came_after_the_last(snapshots, saves):
    (found,) = (
        one
        for one in server.of_info({**GOOD, "aof_enabled": 0, "rdb_saves": saves}, snapshots=snapshots)
        if one.check == "redis persistence"
    )
    assert (found.verdict, "snapshots only" in found.detail) == ("warn", True)


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        (Persistence(synced=True), "ok"),
        (Persistence(watched=True), "ok"),
        (Persistence(why="no append-only file"), "warn"),
    ],
)
def test_a_server_whose_power_cut_may_pay_twice_is_told(how, verdict):
    found = server.of_disk(how)
    assert found.verdict == verdict
    assert how.why in found.detail


@pytest.mark.parametrize(("ahead", "verdict"), [(0.0, "ok"), (-1.9, "ok"), (30.0, "warn"), (-30.0, "warn")])
def test_a_clock_that_is_off(ahead, verdict):
    assert server.of_clock(ahead).verdict == verdict


def test_queues_need_somebody_to_serve_them():
    lengths = {"requests": 0, "submit": 20_000, "poll": 3, "hooks": 0}
    serving = {"a@1": {"requests", "submit", "poll"}, "b@1": {"submit"}}
    found = {one.check: one for one in processes.of_queues(lengths, serving)}
    assert found["queue requests"].verdict == "ok"
    assert found["queue submit"].verdict == "warn"
    assert "2 workers" in found["queue submit"].detail
    assert found["queue hooks"].verdict == "fail"
    assert "-Q hooks" in found["queue hooks"].advice


def test_no_worker_is_a_failure():
    assert processes.of_workers({}, {}).verdict == "fail"
    running = {"a@1": "0.2.0", "b@1": "0.1.0", "c@1": "0.2.0", "gone@1": "0.1.0"}
    found = processes.of_workers({"a@1": {"poll"}, "b@1": set(), "c@1": set(), "d@1": set()}, running)
    assert found.verdict == "ok"
    assert found.detail == "4 answered: a@1, b@1, c@1, d@1; 1 of version 0.1.0, 2 of version 0.2.0"


def test_the_storage_probe_leaves_nothing_behind(tmp_path):
    assert storage.check((tmp_path / "videos").as_uri()).verdict == "ok"
    assert list((tmp_path / "videos").iterdir()) == []


@pytest.mark.parametrize("url", ["file:///proc/nowhere", "nonsense", "ftp9://host/videos"])
def test_a_storage_that_takes_nothing(url):
    found = storage.check(url)
    assert found.verdict == "fail"
    assert "RENDERLINE_STORAGE_URL" in found.advice


def test_a_storage_that_gives_other_bytes_back(tmp_path):
    assert storage.check(tmp_path.as_uri(), reader=lambda _: b"other").verdict == "fail"


def test_no_storage_is_a_warning():
    assert storage.check(None).verdict == "warn"
