"""The parts that `make chaos` breaks things with do what its figures say."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import ReadOnlyError, Redis, RedisError

from benchmarks.chaos.contender import Contender
from benchmarks.chaos.hook_endpoint import HookEndpoint, Tally
from benchmarks.chaos.stores import Stores
from benchmarks.chaos.supervisor import Supervisor
from harness import USER_KEY, Process, Valkey, call, until
from harness.fork_server import ForkServer


def test_a_failover_loses_no_write_and_leaves_old_connections_with_the_demoted_server(tmp_path: Path) -> None:
    with Stores(tmp_path, replicated=True) as stores:
        old = Redis.from_url(stores.url, decode_responses=True, single_connection_client=True)
        for number in range(200):
            old.set(f"key {number}", number)
        stores.fail_over()
        with Redis.from_url(stores.url, decode_responses=True) as new:
            assert new.dbsize() == 200
            assert new.set("one more", "1")
        with pytest.raises(ReadOnlyError):
            old.set("another", "1")
        old.close()
        # And back again: the server that was demoted follows.
        stores.fail_over()
        with Redis.from_url(stores.url, decode_responses=True) as new:
            assert new.get("one more") == "1"
            assert new.set("another", "1")


def test_a_primary_that_was_killed_has_its_data_again(tmp_path: Path) -> None:
    with Stores(tmp_path, replicated=False) as stores, Redis.from_url(stores.url, decode_responses=True) as redis:
        redis.set("key", "1")
        stores.kill_primary()
        with pytest.raises(RedisError):
            redis.get("key")
        stores.start_primary()
        assert redis.get("key") == "1"


def hook(endpoint: HookEndpoint, order: int, **options: Any) -> int:
    body = {"data": {"metadata": {"order": str(order)}}}
    return call("POST", f"{endpoint.url}/first", json=body, headers={"webhook-id": "a"}, **options).status_code


def test_an_endpoint_that_hangs_takes_calls_and_counts_none_as_taken() -> None:
    tally = Tally(fails=0.0, seed=1)
    with HookEndpoint(tally) as well, HookEndpoint(tally, host="localhost") as ill:
        ill.hang()
        with pytest.raises(requests.ReadTimeout):
            hook(ill, 1, timeout=0.3)
        assert hook(well, 2) == 204
        assert (tally.hung, set(tally.arrived())) == (1, {(2, "/first")})
        ill.answer()
        assert hook(ill, 1) == 204
        assert set(tally.arrived()) == {(1, "/first"), (2, "/first")}


class _Sleepers:
    """Starts processes that say what a worker says, and sleep."""

    def start_worker(self, queues: str, log: Path) -> Process:
        return Process(["sh", "-c", "echo ' ready.'; exec sleep 600"], log=log)


@pytest.fixture
def supervisor(tmp_path: Path) -> Any:
    sleepers: Any = _Sleepers()
    contender: Contender = sleepers
    supervisor = Supervisor(contender, ("all", "all"), directory=tmp_path, seed=1)
    supervisor.start()
    yield supervisor
    supervisor.stop()


def state(process: Process) -> str:
    return Path(f"/proc/{process.popen.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_frozen_worker_is_not_killed_and_goes_on(supervisor: Supervisor) -> None:
    frozen = supervisor.freeze_one()
    assert frozen is not None
    until(lambda: state(frozen) == "T")
    other = next(worker for worker in supervisor.workers if worker is not frozen)
    assert supervisor.kill_one()
    assert (other.running, frozen.running, supervisor.kills, supervisor.freezes) == (False, True, 1, 1)
    supervisor.resume(frozen)
    until(lambda: state(frozen) != "T")


def test_only_workers_that_nobody_killed_count_as_dead_by_themselves(supervisor: Supervisor) -> None:
    assert supervisor.kill_one()
    supervisor.restart_ended()
    assert supervisor.deaths == 0
    until(lambda: all(" ready." in worker.output() for worker in supervisor.workers))
    supervisor.workers[0].signal(signal.SIGKILL)
    until(lambda: not supervisor.workers[0].running)
    supervisor.restart_ended()
    assert (supervisor.deaths, supervisor.workers[0].running) == (1, True)


def test_a_worker_from_the_nursery_is_a_worker(tmp_path: Path, redis: Redis, valkey: Valkey) -> None:
    environ = {"REDIS_URL": valkey.url, "AISTUDIOS_APP_ID": "studioV3.nursery", "AISTUDIOS_USER_KEY": USER_KEY}
    fork_server = ForkServer(log=tmp_path / "fork-server.log", environ=environ)
    try:
        workers = [fork_server.start("submit", tmp_path / f"worker-{number}.log") for number in range(2)]
        for worker in workers:
            until(lambda worker=worker: " ready." in worker.output(), what=worker.output())
        workers[0].kill()
        assert [worker.running for worker in workers] == [False, True]
        workers[1].kill()
    finally:
        fork_server.kill()
