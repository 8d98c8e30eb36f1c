"""A worker that is asked to stop finishes or hands back in time, and a rolling restart under load loses no second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness import until
from tests.acceptance.faults.crashes import lists_of
from tests.acceptance.faults.loaded_system import LEASE, SWEEP, LoadedSystem, loaded_system

WAYS = {"SIGTERM": {}, "SIGTERM as SIGQUIT": {"REMAP_SIGTERM": "SIGQUIT"}}
EXIT = 15.0
"""Seconds that ending takes beyond what is waited for: kombu's last BRPOP, closing connections, a busy machine."""


def stop(system: LoadedSystem, *, seconds: float) -> float:
    """Ask the last worker to stop, which it does without a complaint; returns how long that took."""
    worker = system.workers[-1]
    asked = time.monotonic()
    worker.popen.terminate()
    assert worker.popen.wait(seconds) == 0
    took = time.monotonic() - asked
    assert "Traceback" not in worker.output(), worker.output()[-3000:]
    return took


def waiting(system: LoadedSystem, queue: str) -> int:
    return sum(int(system.redis.llen(key)) for key in lists_of(queue))


def hold_hook(system: LoadedSystem) -> tuple[str, threading.Event]:
    """Bring a render to its hook, which runs until the event is set; returns its id and the event."""
    taken, answer = threading.Event(), threading.Event()

    def hold(body: dict[str, Any]) -> int:
        if body["data"]["name"] == "held":
            taken.set()
            answer.wait(90)
        return 204

    system.hook_endpoint.answer = hold
    (held,) = system.send(["held"], name="held")
    assert taken.wait(60)
    return held, answer


def longest_wait(system: LoadedSystem, name: str, *, meanwhile: Callable[[], None]) -> float:
    """Send a steady load while something happens; returns how long (seconds) the slowest render took to its end."""
    over = threading.Event()
    doing = threading.Thread(target=lambda: (meanwhile(), over.set()))
    doing.start()
    ids: list[str] = []
    while not over.is_set():
        ids += system.send([f"{name}-{len(ids)}"])
        time.sleep(0.25)
    doing.join()
    system.wait_for(ids, seconds=90)
    system.check(ids)
    records = [system.ledger.record(one) for one in ids]
    marks = [(record["times"]["accepted"], record["times"]["delivered"]) for record in records if record]
    return max(seconds_between(accepted, delivered) for accepted, delivered in marks)


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds between two times in ISO 8601."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def idle(directory: Path) -> None:
    """It ends at once."""
    with loaded_system(directory, workers=0) as system:
        for way in WAYS.values():
            system.start(**way)
            assert stop(system, seconds=60) < EXIT


def busy(directory: Path, way: str) -> None:
    """Waiting messages are requeued while the running task is being finished."""
    with loaded_system(directory, workers=0) as system:
        system.start(**WAYS[way], RENDERLINE_SHUTDOWN_TIMEOUT="60", RENDERLINE_POLL_MIN="3")
        running, answer = hold_hook(system)
        (waits,) = system.send(["waits"])
        until(lambda: system.states([waits])[waits] == "rendering", what="its poll waits for its time in the worker")
        worker = system.workers[-1]
        worker.popen.terminate()
        until(lambda: waiting(system, "poll"), seconds=30, what="the poll is requeued while the hook still runs")
        assert worker.popen.poll() is None
        answer.set()
        assert worker.popen.wait(60) == 0
        assert "Traceback" not in worker.output()
        assert system.states([running]) == {running: "delivered"}
        assert system.redis.hlen("unacked") == 0
        system.start(RENDERLINE_POLL_MIN="3")
        system.wait_for([waits], seconds=60)
        system.check([running, waits])
        assert len(system.hook_endpoint.bodies) == 2


def too_long(directory: Path, way: str) -> None:
    """A task that outlasts the shutdown timeout is requeued."""
    with loaded_system(directory, workers=0) as system:
        system.start(**WAYS[way], RENDERLINE_SHUTDOWN_TIMEOUT="2")
        running, answer = hold_hook(system)
        took = stop(system, seconds=60)
        assert 2 <= took < 2 + EXIT
        assert waiting(system, "hooks") == 1
        answer.set()
        system.start()
        system.wait_for([running], seconds=LEASE + 1 + SWEEP + 30)
        system.check([running])


SCENARIOS: dict[str, Callable[[Path], None]] = {
    "idle": idle,
    "busy, SIGTERM": partial(busy, way="SIGTERM"),
    "busy, SIGTERM as SIGQUIT": partial(busy, way="SIGTERM as SIGQUIT"),
    "too long, SIGTERM": partial(too_long, way="SIGTERM"),
    "too long, SIGTERM as SIGQUIT": partial(too_long, way="SIGTERM as SIGQUIT"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_worker_that_is_asked_to_stop(scenarios: dict[str, Future[None]], name: str) -> None:
    scenarios[name].result()


def test_a_rolling_restart_under_load_loses_no_second(tmp_path: Path, record_property: Any) -> None:
    # With the lease of a deployment: whatever only a sweep would carry on stands out.
    lease = {"RENDERLINE_LEASE": "30", "RENDERLINE_SWEEP_EVERY": "1"}
    with loaded_system(tmp_path, workers=3, **lease) as system:
        quiet = longest_wait(system, "quiet", meanwhile=lambda: time.sleep(3))

        def restart_all() -> None:
            for old in list(system.workers):
                system.start()
                old.popen.terminate()
                assert old.popen.wait(60) == 0
                assert "Traceback" not in old.output()

        restarted = longest_wait(system, "restarted", meanwhile=restart_all)
    record_property("longest_wait_without", quiet)
    record_property("longest_wait_with", restarted)
    # A render that waited for a sweep would take the whole lease longer.
    assert restarted < quiet + 15
