"""Limits and outages are kept by all workers together, judged by what the vendor saw."""

from __future__ import annotations

import time
from typing import Any

import requests

from harness import until
from tests.acceptance.conftest import System


def stats(system: System) -> dict[str, Any]:
    return requests.get(f"{system.sandbox.url}/_sandbox/stats", timeout=30).json()


def delivered(system: System, count: int, *, seconds: float = 60.0) -> None:
    until(lambda: len(system.hook_endpoint.bodies) >= count, seconds=seconds, what=f"{count} deliveries")


def calls(system: System) -> int:
    """Return the API calls so far, without downloads."""
    return sum(count for name, count in system.sandbox.counts().items() if "/files/" not in name)


def only_http(system: System, **fields: Any) -> dict[str, Any]:
    return system.request(hooks=[{"type": "http", "url": system.hook_endpoint.url}], **fields)


def test_four_workers_never_have_more_than_ten_renders_at_the_vendor(start_system: Any) -> None:
    system = start_system(
        "--render-seconds", "0.6", workers=4, RENDERLINE_MAX_CONCURRENT_RENDERS="10", RENDERLINE_POLL_MIN="0.2"
    )
    pending = [system.send(only_http(system), key=f"slot-{number}") for number in range(45)]
    for one in pending:
        one.get(timeout=60)
    delivered(system, 45)
    peak = stats(system)["rendering_peak"]
    assert max(peak.values() if isinstance(peak, dict) else [peak]) <= 10
    assert max(peak.values() if isinstance(peak, dict) else [peak]) >= 8
    assert sum(project["exports"] for project in system.sandbox.projects()) == 45


def test_the_request_rate_of_all_workers_together_stays_below_the_limit(start_system: Any) -> None:
    system = start_system("--render-seconds", "0.5", RENDERLINE_MAX_REQUESTS_PER_SECOND="10")
    for number in range(15):
        system.send(only_http(system), key=f"rate-{number}")
    samples = [(time.monotonic(), calls(system))]
    while len(system.hook_endpoint.bodies) < 15:
        assert time.monotonic() - samples[0][0] < 60
        time.sleep(0.1)
        samples.append((time.monotonic(), calls(system)))
    windows = [
        (later[1] - earlier[1], later[0] - earlier[0])
        for position, earlier in enumerate(samples)
        for later in samples[position + 1 :]
        if 1.0 <= later[0] - earlier[0] <= 3.0
    ]
    assert windows
    assert all(count <= 10 * (seconds + 1) for count, seconds in windows)


def test_an_outage_costs_a_probe_now_and_then_and_accepted_work_waits(start_system: Any) -> None:
    system = start_system("--render-seconds", "0.5", RENDERLINE_OUTAGE_PROBE="1", RENDERLINE_SWEEP_EVERY="0.5")
    system.enqueue(only_http(system), key="before")
    delivered(system, 1)
    system.sandbox.control("POST", "outage", on=True)
    before = calls(system)
    for number in range(30):
        system.enqueue(only_http(system), key=f"during-{number}")
    began = time.monotonic()
    until(lambda: calls(system) >= before + 6, what="the circuit to open and be probed")
    # Some calls were under way when the circuit opened; from then on there are probes alone, one in two seconds.
    settled = until(lambda: _unchanged(system, 0.5), what="no more calls")
    time_left = max(0.0, 6.0 - (time.monotonic() - began))
    time.sleep(time_left)
    assert calls(system) - settled <= 6
    assert calls(system) - before <= 60
    assert len(system.hook_endpoint.bodies) == 1

    system.sandbox.control("POST", "outage", on=False)
    delivered(system, 31)
    assert all(project["exports"] == 1 for project in system.sandbox.projects())


def _unchanged(system: System, seconds: float) -> int:
    before = calls(system)
    time.sleep(seconds)
    return before if calls(system) == before else 0


def test_a_retry_after_quiets_every_worker_of_the_account(start_system: Any) -> None:
    system = start_system("--render-seconds", "2")
    for number in range(6):
        system.enqueue(only_http(system), key=f"before-{number}")
    system.enqueue(only_http(system, name="busy [sandbox:429=3@draft]"), key="busy")
    until(lambda: any("asked" in line or "429" in line for line in _logs(system)), what="the 429")
    quiet = calls(system)
    time.sleep(2.0)
    assert calls(system) <= quiet + 2  # those under way when it came
    delivered(system, 7)


def test_the_list_strategy_finds_every_finished_render_with_few_calls(start_system: Any) -> None:
    system = start_system("--render-seconds", "2", workers=1, RENDERLINE_POLL_STRATEGY="list")
    for number in range(40):
        system.send(only_http(system), key=f"listed-{number}")
    delivered(system, 40)
    polls = system.sandbox.calls("editor/progress/{key}")
    lists = system.sandbox.counts()["GET /api/odin/v3/editor/project"]
    assert lists
    assert polls + lists < 40 * 3


def _logs(system: System) -> list[str]:
    return [line for worker in system.workers for line in worker.output().splitlines()]
