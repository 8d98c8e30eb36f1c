"""A closed loop of orders: as many in flight as keep a contender's worker at a given share of a core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.contenders import Contender
from benchmarks.machine import cpu_seconds
from benchmarks.result import quantile
from benchmarks.system import Meter, Stub
from harness import SandboxProcess

_TICK = 0.2
_FIRST = 16


@dataclass(frozen=True)
class Plan:
    """How a contender is loaded: `share` of a core for its worker; the seconds of each part.

    It is measured `windows` times, for `hold` seconds each.
    """

    share: float = 0.75
    ramp: float = 14.0
    settle: float = 5.0
    hold: float = 4.0
    windows: int = 3
    most: int = 2000


@dataclass(frozen=True)
class Measured:
    """The result of the measured part; lags are seconds from the vendor's completion to the hook."""

    renders: int
    seconds: float
    in_flight: int
    cpu: float
    vendor_cpu: float
    polls: int
    calls: int
    lags: list[float]

    @property
    def rate(self) -> float:
        """Renders a second."""
        return self.renders / self.seconds

    @property
    def cpu_per_render(self) -> float:
        """CPU seconds of the worker."""
        return self.cpu / self.renders

    @property
    def lag(self) -> float:
        """The mean lag."""
        return sum(self.lags) / len(self.lags)

    def figures(self) -> dict[str, float]:
        """Return the figures for the results file."""
        return {
            "renders": self.renders,
            "renders_per_second": round(self.rate, 2),
            "in_flight": self.in_flight,
            "worker_share_of_a_core": round(self.cpu / self.seconds, 3),
            "worker_cpu_ms_per_render": round(self.cpu_per_render * 1e3, 2),
            "polls_per_render": round(self.polls / self.renders, 2),
            "vendor_calls_per_render": round(self.calls / self.renders, 2),
            "lag_mean_s": round(self.lag, 3),
            "lag_p95_s": round(quantile(self.lags, 0.95), 3),
            "vendor_share_of_a_core": round(self.vendor_cpu / self.seconds, 3),
        }


def middle(windows: Sequence[Measured]) -> Measured:
    """Return the window whose CPU time per render is the median, with the lags of all."""
    ordered = sorted(windows, key=lambda one: one.cpu_per_render)
    return replace(ordered[len(ordered) // 2], lags=[lag for one in windows for lag in one.lags])


class Loop:
    """Keeps a number of orders in flight at a contender."""

    def __init__(self, contender: Contender, endpoint: Stub, plan: Plan) -> None:
        self._contender, self._endpoint, self._plan = contender, endpoint, plan
        self._asked = 0
        self.wanted = float(_FIRST)

    def run(self, sandbox: SandboxProcess) -> Measured:
        """Load the contender until its worker is as busy as planned, then measure."""
        self._ramp()
        self._keep_up(self._plan.settle)
        return middle([self._window(sandbox) for _ in range(self._plan.windows)])

    def _window(self, sandbox: SandboxProcess) -> Measured:
        meter = Meter(worker=self._contender.worker, vendor=sandbox)
        done, counts = self._endpoint.count("hook"), sandbox.counts()
        self._keep_up(self._plan.hold)
        passed, cpu = meter.read()
        after = sandbox.counts()
        hooks = self._endpoint.ask("hooks")[done:]
        completed = {_number(project["name"]): project["completed_at"] for project in sandbox.projects()}
        calls = {name: count - counts.get(name, 0) for name, count in after.items()}
        return Measured(
            renders=len(hooks),
            seconds=passed,
            in_flight=round(self.wanted),
            cpu=cpu["worker"],
            vendor_cpu=cpu["vendor"],
            polls=sum(count for name, count in calls.items() if "/progress/" in name),
            calls=sum(calls.values()),
            lags=[at - completed[int(number)] for at, number in hooks],
        )

    def _ramp(self) -> None:
        end = time.monotonic() + self._plan.ramp
        while time.monotonic() < end:
            begin, before = time.monotonic(), cpu_seconds(self._contender.worker.popen.pid)
            self._keep_up(1.0)
            used = cpu_seconds(self._contender.worker.popen.pid) - before
            share = used / (time.monotonic() - begin)
            # Slowly: new orders cost more than older ones, and would look like their lasting load.
            growth = min(1.3, max(0.9, self._plan.share / max(share, 0.05)))
            self.wanted = min(float(self._plan.most), max(1.0, self.wanted * growth))

    def _keep_up(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            missing = round(self.wanted) - (self._asked - self._endpoint.count("hook"))
            if missing > 0:
                self._contender.ask(range(self._asked, self._asked + missing))
                self._asked += missing
            time.sleep(_TICK)


def _number(name: str) -> int:
    """Return the order's number in `Order 17 [...]`."""
    return int(name.split()[1])
