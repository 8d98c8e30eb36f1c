"""A worker that is asked to stop finishes or hands back in time, and a rolling restart under load loses no second."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.acceptance.faults.crashes import lists_of
from tests.acceptance.faults.crowd import LEASE, SWEEP, Crowd
from tests.parts import until

WAYS = {"SIGTERM": {}, "SIGTERM as SIGQUIT": {"REMAP_SIGTERM": "SIGQUIT"}}
EXIT = 3.0
"""Seconds that ending takes beyond what is waited for: kombu's last BRPOP, closing connections, a busy machine."""


def stop(crowd: Crowd, *, seconds: float) -> tuple[int, float]:
    """Ask the last worker to stop; returns its exit code and how long it took."""
    worker = crowd.workers.pop()
    asked = time.monotonic()
    worker.popen.send_signal(signal.SIGTERM)
    code = worker.popen.wait(seconds)
    output = worker.output()
    assert "Traceback" not in output, output[-3000:]
    return code, time.monotonic() - asked


def waiting(crowd: Crowd, queue: str) -> int:
    return sum(int(crowd.redis.llen(key)) for key in lists_of(queue))


@pytest.mark.parametrize("way", WAYS)
def test_an_idle_worker_ends_at_once(crowds: Callable[..., Crowd], way: str) -> None:
    crowd = crowds(workers=0)
    crowd.start(**WAYS[way])
    code, took = stop(crowd, seconds=20)
    assert code == 0
    assert took < EXIT


@pytest.mark.parametrize("way", WAYS)
def test_a_running_task_is_finished_and_what_waits_is_handed_back_before(
    crowds: Callable[..., Crowd], way: str
) -> None:
    crowd = crowds(workers=0)
    crowd.start(**WAYS[way], RENDERLINE_SHUTDOWN_TIMEOUT="20", RENDERLINE_POLL_MIN="4")
    running, answer = hold_hook(crowd)
    (waits,) = crowd.send(["waits"])
    until(lambda: crowd.states([waits])[waits] == "rendering", what="its look waits for its time in the worker")
    until(lambda: crowd.redis.hlen("unacked") >= 2, what="taken")
    leaving = threading.Timer(0, stop, [crowd], {"seconds": 30})
    worker = crowd.workers[-1]
    leaving.start()
    until(lambda: waiting(crowd, "poll"), seconds=4, what="the waiting look is handed back while the hook still runs")
    assert worker.popen.poll() is None
    answer.set()
    leaving.join(30)
    assert worker.popen.returncode == 0
    assert crowd.states([running]) == {running: "delivered"}
    assert crowd.redis.hlen("unacked") == 0
    crowd.start(RENDERLINE_POLL_MIN="4")
    crowd.wait_for([waits], seconds=15)
    crowd.check([running, waits])
    assert len(crowd.receiver.bodies) == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_takes_too_long_is_handed_back(crowds: Callable[..., Crowd], way: str) -> None:
    crowd = crowds(workers=0)
    crowd.start(**WAYS[way], RENDERLINE_SHUTDOWN_TIMEOUT="2")
    running, answer = hold_hook(crowd)
    code, took = stop(crowd, seconds=20)
    assert code == 0
    assert took < 2 + EXIT
    assert waiting(crowd, "hooks") == 1
    answer.set()
    crowd.start()
    crowd.wait_for([running], seconds=LEASE + 1 + SWEEP + 10)
    crowd.check([running])


def hold_hook(crowd: Crowd) -> tuple[str, threading.Event]:
    """Bring a render to its hook, which runs until the event is set; returns its id and the event."""
    taken, answer = threading.Event(), threading.Event()

    def hold(body: dict[str, Any]) -> int:
        if body["data"]["name"] == "held":
            taken.set()
            answer.wait(30)
        return 204

    crowd.receiver.answer = hold
    (held,) = crowd.send(["held"], name="held")
    assert taken.wait(30)
    return held, answer


def longest_wait(crowd: Crowd, name: str, *, meanwhile: Callable[[], None]) -> float:
    """Send a steady load while something happens; returns how long (seconds) the slowest render took to its end."""
    over = threading.Event()
    doing = threading.Thread(target=lambda: (meanwhile(), over.set()))
    doing.start()
    ids: list[str] = []
    while not over.is_set():
        ids += crowd.send([f"{name}-{len(ids)}"])
        time.sleep(0.1)
    doing.join()
    crowd.wait_for(ids, seconds=60)
    crowd.check(ids)
    records = [crowd.ledger.record(one) for one in ids]
    marks = [(record["times"]["accepted"], record["times"]["delivered"]) for record in records if record]
    return max(seconds_between(accepted, delivered) for accepted, delivered in marks)


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds between two times in ISO 8601."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def test_a_rolling_restart_under_load_loses_no_second(crowds: Callable[..., Crowd], record_property: Any) -> None:
    # With the lease of a deployment: whatever only a sweep would carry on stands out.
    crowd = crowds(workers=0)
    lease = {"RENDERLINE_LEASE": "30", "RENDERLINE_SWEEP_EVERY": "1"}
    for _ in range(3):
        crowd.start(**lease)
    quiet = longest_wait(crowd, "quiet", meanwhile=lambda: time.sleep(4))

    def restart_all() -> None:
        for _ in range(3):
            crowd.start(**lease)
            worker = crowd.workers.pop(0)
            worker.popen.send_signal(signal.SIGTERM)
            assert worker.popen.wait(20) == 0
            assert "Traceback" not in worker.output()

    restarted = longest_wait(crowd, "restarted", meanwhile=restart_all)
    record_property("longest_wait_without", quiet)
    record_property("longest_wait_with", restarted)
    assert restarted < quiet + 5
