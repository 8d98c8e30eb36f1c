"""Workers on libraries that the repairs do not fit: slower without a time saver, and none without a promise."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness import USER_KEY, Valkey
from harness.fork_server import shared
from tests.acceptance.faults.loaded_system import loaded_system

APP = "tests.acceptance.faults.other_libraries"
TIME_SAVERS = "ack_batching requeue shared_client event_batching"
CAUGHT_UP = 90.0
"""Seconds that leases and the backlog may take on a busy machine."""


def refusal(directory: Path, valkey: Valkey, **environ: str) -> str:
    """Return the one line that a worker says before it ends with exit code 1."""
    settings = {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_APP_ID": "studioV3.tests",
        "AISTUDIOS_USER_KEY": USER_KEY,
        **environ,
    }
    worker = shared().start("submit", directory / "worker.log", app=APP, environ=settings)
    assert worker.popen.wait(60) == 1
    (line,) = worker.output().splitlines()
    return line


@pytest.mark.parametrize("version", ["5.6.2", "5.8.0", "6.0.0rc1"])
def test_a_worker_does_not_start_on_a_kombu_that_the_repairs_do_not_know(
    tmp_path: Path, valkey: Valkey, version: str
) -> None:
    line = refusal(tmp_path, valkey, KOMBU_VERSION=version)
    assert line.startswith(f"Renderline cannot start: kombu {version} is installed, kombu>=5.7,<5.8 is needed. ")
    assert "a broken message ends no worker" in line
    assert "follow a Redis failover" in line
    assert line.endswith("Install the versions of requirements.txt (make install)")


@pytest.mark.parametrize(
    ("name", "promise"), [("quarantine", "a broken message ends no worker"), ("failover", "follow a Redis failover")]
)
def test_a_worker_does_not_start_without_what_a_promise_needs(
    tmp_path: Path, valkey: Valkey, name: str, promise: str
) -> None:
    line = refusal(tmp_path, valkey, UNFIT=name)
    assert line.startswith("Renderline cannot start: kombu.transport.redis:Channel.renamed does not exist ")
    assert promise in line


def test_without_the_time_savers_killed_workers_still_lose_nothing_and_pay_nothing_twice(tmp_path: Path) -> None:
    with loaded_system(tmp_path, app=APP, UNFIT=TIME_SAVERS) as system:
        ids: list[str] = []
        for round_ in range(3):
            ids += system.send(f"{round_}-{number}" for number in range(8))
            time.sleep(0.7)
            system.workers[round_].kill()
            system.start()
        *killed, stopped, last = system.workers
        assert len(killed) == 3
        assert stopped.stop() == 0
        ids += system.send(["last"])
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)
        assert last.running
        for worker in (stopped, last):
            (warning,) = [line for line in worker.output().splitlines() if "repairs that save time are off" in line]
            assert all(name in warning for name in ("ack batching", "requeue at shutdown", "shared client"))
            assert "Traceback" not in worker.output()
