"""Limits and outages are kept by all workers together, judged by what the vendor saw."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness import USER_KEY, SandboxProcess, until
from harness.forked_sandbox import ForkedSandbox
from tests.acceptance.conftest import System

ACCOUNTS = {
    "slots": "max_concurrent_renders = 10",
    "rate": "max_requests_per_second = 10",
    "outage": "",
    "quiet": "base_url = '{slow}'",
    "listed": "base_url = '{slow}'",
}
"""Each test has an account of its own: its name and its options. `slow` is where a render takes 2 s, not 0.6 s."""


@dataclass
class Vendors:
    """Two vendors, and the workers that each test asks for: they go on to the next one if it wants the same."""

    system: System
    slow: SandboxProcess
    _staff: tuple[Any, ...] = ()
    _seen: dict[str, Counter[str]] = field(default_factory=dict)
    _said: list[int] = field(default_factory=list)

    def staff(self, workers: int = 2, **environ: str) -> System:
        """Have this many workers with these settings; deliveries and calls count from now on."""
        wanted = (workers, environ)
        if wanted != self._staff or not all(worker.running for worker in self.system.workers):
            for worker in self.system.workers:
                worker.kill()
            self.system.workers.clear()
            for _ in range(workers):
                self.system.start_worker(**environ)
            self._staff = wanted
        self.system.hook_endpoint.bodies.clear()
        self._said = [len(worker.output()) for worker in self.system.workers]
        self._seen = {one.url: Counter(one.counts()) for one in (self.system.sandbox, self.slow)}
        return self.system

    def calls(self, sandbox: SandboxProcess) -> Counter[str]:
        """Return the API calls of this test so far, without downloads."""
        counts = Counter(sandbox.counts()) - self._seen[sandbox.url]
        return Counter({name: count for name, count in counts.items() if "/files/" not in name})

    def logs(self) -> list[str]:
        """Return what the workers logged in this test so far."""
        workers = zip(self.system.workers, self._said, strict=True)
        return [line for worker, said in workers for line in worker.output()[said:].splitlines()]


@pytest.fixture(scope="module")
def vendors(start_system: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    directory = tmp_path_factory.mktemp("accounts")
    slow = ForkedSandbox(directory / "slow.log", "--render-seconds", "2")
    path = directory / "accounts.toml"
    try:
        system = start_system(
            *("--render-seconds", "0.6"),
            workers=0,
            AISTUDIOS_ACCOUNTS=str(path),
            RENDERLINE_POLL_MIN="0.2",
            RENDERLINE_OUTAGE_PROBE="1",
            RENDERLINE_SWEEP_EVERY="0.5",
        )
        for name in ("APP_ID", "USER_KEY", "V2_SECRET_KEY"):
            del system.environ[f"AISTUDIOS_{name}"]
        tables = [
            f'[[account]]\nname = "{name}"\napp_id = "studioV3.{name}"\nuser_key = "{USER_KEY}"\n{more}\n'
            for name, more in ACCOUNTS.items()
        ]
        path.write_text("".join(tables).format(slow=slow.url))
        yield Vendors(system, slow)
    finally:
        slow.stop()


def delivered(system: System, count: int, *, seconds: float = 60.0) -> None:
    until(lambda: len(system.hook_endpoint.bodies) >= count, seconds=seconds, what=f"{count} deliveries")


def only_http(system: System, account: str, **fields: Any) -> dict[str, Any]:
    hooks = [{"type": "http", "url": system.hook_endpoint.url}]
    return system.request(account=account, hooks=hooks, **fields)


def exports(sandbox: SandboxProcess, account: str) -> list[int]:
    """Return how often each project of an account was exported."""
    return [one["exports"] for one in sandbox.projects() if one["account"] == f"studioV3.{account}"]


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.chaos)])
def test_workers_together_never_have_more_than_ten_renders_at_the_vendor(vendors: Vendors, workers: int) -> None:
    system = vendors.staff(workers)
    paid = sum(exports(system.sandbox, "slots"))
    for number in range(45):
        system.send(only_http(system, "slots"), key=f"slot-{workers}-{number}")
    delivered(system, 45)
    peak = system.sandbox.control("GET", "stats")["accounts"]["studioV3.slots"]["rendering_peak"]
    assert 8 <= peak <= 10
    assert sum(exports(system.sandbox, "slots")) - paid == 45


def test_the_request_rate_of_all_workers_together_stays_below_the_limit(vendors: Vendors) -> None:
    system = vendors.staff()
    for number in range(15):
        system.send(only_http(system, "rate"), key=f"rate-{number}")

    def calls() -> int:
        return vendors.calls(system.sandbox).total()

    samples = [(time.monotonic(), calls())]
    while len(system.hook_endpoint.bodies) < 15:
        assert time.monotonic() - samples[0][0] < 60
        time.sleep(0.1)
        samples.append((time.monotonic(), calls()))
    windows = [
        (later[1] - earlier[1], later[0] - earlier[0])
        for position, earlier in enumerate(samples)
        for later in samples[position + 1 :]
        if 1.0 <= later[0] - earlier[0] <= 3.0
    ]
    assert windows
    assert all(count <= 10 * (seconds + 1) for count, seconds in windows)


def test_an_outage_costs_a_probe_now_and_then_and_accepted_work_waits(vendors: Vendors) -> None:
    system = vendors.staff()

    def calls() -> int:
        return vendors.calls(system.sandbox).total()

    def unchanged() -> int:
        before = calls()
        time.sleep(0.5)
        return before if calls() == before else 0

    system.enqueue(only_http(system, "outage"), key="before")
    delivered(system, 1)
    system.sandbox.control("POST", "outage", on=True)
    before = calls()
    for number in range(30):
        system.send(only_http(system, "outage"), key=f"during-{number}")
    began = time.monotonic()
    until(lambda: calls() >= before + 6, what="the circuit to open and be probed")
    # Some calls were under way when the circuit opened; from then on there are probes alone, one in two seconds.
    settled = until(unchanged, what="no more calls")
    time_left = max(0.0, 6.0 - (time.monotonic() - began))
    time.sleep(time_left)
    assert calls() - settled <= 6
    assert calls() - before <= 60
    assert len(system.hook_endpoint.bodies) == 1

    system.sandbox.control("POST", "outage", on=False)
    delivered(system, 31)
    assert set(exports(system.sandbox, "outage")) == {1}


def test_a_retry_after_quiets_every_worker_of_the_account(vendors: Vendors) -> None:
    system = vendors.staff()
    for number in range(6):
        system.enqueue(only_http(system, "quiet"), key=f"before-{number}")
    system.enqueue(only_http(system, "quiet", name="busy [sandbox:429=3@draft]"), key="busy")
    until(lambda: any("asked" in line or "429" in line for line in vendors.logs()), what="the 429")
    quiet = vendors.calls(vendors.slow).total()
    time.sleep(2.0)
    assert vendors.calls(vendors.slow).total() <= quiet + 2  # those under way when it came
    delivered(system, 7)


def test_the_list_strategy_finds_every_finished_render_with_few_calls(vendors: Vendors) -> None:
    system = vendors.staff(1, RENDERLINE_POLL_STRATEGY="list", RENDERLINE_POLL_MIN="0.3")
    for number in range(40):
        system.send(only_http(system, "listed"), key=f"listed-{number}")
    delivered(system, 40)
    calls = vendors.calls(vendors.slow)
    polls = sum(count for name, count in calls.items() if name.endswith("editor/progress/{key}"))
    lists = calls["GET /api/odin/v3/editor/project"]
    assert lists
    assert polls + lists < 40 * 3
