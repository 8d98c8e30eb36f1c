"""What a load needs: a simulated peak hour, priced with the figures of `make bench`.

`python -m benchmarks.capacity` prints the tables of docs/scaling.md; `--per-day N` adds a load of your own.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import quantile
from benchmarks.schedule_simulation import MIX, SUBMISSION_CALLS, Ours, durations, polls_at, typical_of

RESULTS = Path(__file__).parent / "results" / "latest.json"
LOADS = (1_000, 100_000, 1_000_000, 5_000_000, 10_000_000)
PEAK = 3.0
"""How much busier the peak hour is than the average one."""
BUSY = 0.6
"""The share of a core that a worker process, or Redis, may use at the peak."""
RETENTION_DAYS = 7.0
_SECONDS = 300


@dataclass(frozen=True)
class Prices:
    """The price of a render's steps and of a poll: CPU seconds of a worker and of Redis, Redis commands; bytes kept."""

    step_worker: float
    step_redis: float
    step_commands: float
    poll_worker: float
    poll_redis: float
    poll_commands: float
    kept: float

    @classmethod
    def measured(cls, results: dict[str, Any]) -> Prices:
        """Return the prices with 100,000 renders in flight; raises KeyError if that benchmark was not run."""
        found = results["benchmarks"]["in_flight"]["figures"]
        steps, poll = found["render_without_polls"]["100000"], found["poll"]["100000"]
        return cls(
            steps["worker_cpu_ms"] / 1e3,
            steps["redis_cpu_ms"] / 1e3,
            steps["redis_commands"],
            poll["worker_cpu_ms"] / 1e3,
            poll["redis_cpu_ms"] / 1e3,
            poll["redis_commands"],
            found["redis_bytes_per_render_beside_payload"] + found["payload_bytes"],
        )


@dataclass(frozen=True)
class Peak:
    """The busiest hour of a load: its 99th percentile second, and the most renders in flight."""

    renders: float
    polls: float
    in_flight: int

    @property
    def vendor_calls(self) -> float:
        """Calls a second."""
        return self.renders * SUBMISSION_CALLS + self.polls

    def redis_share(self, prices: Prices) -> float:
        """Return the share of a core that Redis needs."""
        return self.renders * prices.step_redis + self.polls * prices.poll_redis

    def redis_commands(self, prices: Prices) -> float:
        """Return Redis commands a second, including those inside scripts."""
        return self.renders * prices.step_commands + self.polls * prices.poll_commands

    def workers(self, prices: Prices) -> int:
        """Return the number of worker processes."""
        return max(1, math.ceil((self.renders * prices.step_worker + self.polls * prices.poll_worker) / BUSY))


def tracks(count: int = 200) -> list[tuple[float, list[float]]]:
    """Return renders of 1 to 10 minutes with mixed curves: their durations, and the times of their polls."""
    lengths = durations(count)
    quick = typical_of(lengths)
    return [(seconds, polls_at(Ours(), curve, seconds, typical=quick)) for curve in MIX.values() for seconds in lengths]


def peak_of(per_day: int, followed: Sequence[tuple[float, list[float]]], *, seed: int = 1) -> Peak:
    """Simulate random arrivals for some minutes of the peak hour, after a warm-up as long as the longest render."""
    chance = random.Random(seed)
    rate = per_day / 86_400 * PEAK
    warm = max(seconds for seconds, _ in followed) + 60
    arrivals, polls, flying = Counter[int](), Counter[int](), Counter[int]()
    now = 0.0
    while (now := now + chance.expovariate(rate)) < warm + _SECONDS:
        seconds, seen = chance.choice(followed)
        arrivals[int(now)] += 1
        polls.update(int(now + at) for at in seen)
        flying[int(now)] += 1
        flying[int(now + seconds) + 1] -= 1
    window = range(int(warm), int(warm) + _SECONDS)
    level, most = 0, 0
    for second in range(window.stop):
        level += flying[second]
        most = max(most, level) if second in window else most
    return Peak(_p99(arrivals, window), _p99(polls, window), most)


def _p99(counts: Counter[int], window: range) -> float:
    return quantile((counts[second] for second in window), 0.99)


def prices_table(results: dict[str, Any]) -> str:
    """Return the table of the price of a render's steps and a poll, for docs/scaling.md."""
    found = results["benchmarks"]["in_flight"]["figures"]
    lines = [
        "| with 100,000 in flight | worker CPU | Redis CPU | Redis commands | round trips |",
        "|:--|--:|--:|--:|--:|",
    ]
    steps = "a render without its polls: three tasks, two vendor calls, one hook"
    for name, row in ((steps, found["render_without_polls"]["100000"]), ("a poll", found["poll"]["100000"])):
        cpu = f"{row['worker_cpu_ms']:.2f} ms | {row['redis_cpu_ms']:.3f} ms"
        lines.append(f"| {name} | {cpu} | {row['redis_commands']:.0f} | {row['redis_round_trips']:.1f} |")
    return "\n".join(lines)


def loads_table(prices: Prices, loads: Sequence[int] = LOADS) -> str:
    """Return the table of what each load (renders a day) needs, for docs/scaling.md."""
    followed = tracks()
    names = ("renders a day", "renders/s", "in flight", "polls/s", "vendor calls/s", "Redis commands/s", "Redis core")
    names = (*names, f"kept {RETENTION_DAYS:g} days", "worker processes")
    lines = [f"| {' | '.join(names)} |", f"|{'--:|' * len(names)}"]
    for per_day in loads:
        peak = peak_of(per_day, followed)
        cells = (
            f"{per_day:,}",
            f"{peak.renders:,.0f}",
            f"{peak.in_flight:,}",
            f"{peak.polls:,.0f}",
            f"{peak.vendor_calls:,.0f}",
            f"{peak.redis_commands(prices):,.0f}",
            f"{peak.redis_share(prices):.0%}",
            f"{per_day * RETENTION_DAYS * prices.kept / 1e9:,.1f} GB",
            f"{peak.workers(prices):,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--per-day", type=int, action="append", default=[], metavar="N", help="renders a day")
    parser.add_argument("--results", type=Path, default=RESULTS, help="default: %(default)s")
    chosen = parser.parse_args()
    results = json.loads(chosen.results.read_text())
    print(prices_table(results), loads_table(Prices.measured(results), sorted({*LOADS, *chosen.per_day})), sep="\n\n")


if __name__ == "__main__":
    main()
