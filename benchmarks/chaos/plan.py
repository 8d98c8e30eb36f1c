"""The plan of a run: how many renders, how many kills, which faults, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

ANY_CALL = "*"
_V3 = "/api/odin/v3/editor"
CREATE, EXPORT = f"POST {_V3}/project", f"POST {_V3}/project/export"
READS = (f"GET {_V3}/progress/{{key}}", f"GET {_V3}/project/{{key}}", f"GET {_V3}/project")

FAULTS = {
    "kills": "a random worker is killed every few seconds and restarted at once",
    "freezes": "a random worker is stopped for longer than its lease, and goes on",
    "restarts": "the server of broker and ledger is killed and started again",
    "failovers": "its replica is promoted while connections to the old primary, now read-only, stay open",
    "vendor": "the vendor drops, refuses, delays and garbles answers, and revokes tokens",
    "slow-vendor": "exports take effect long after their client disconnected; reads lag behind",
    "outages": "one of three accounts is at a vendor that hangs, then refuses",
    "receiver": "the hook endpoint fails a share of the calls",
    "hanging-endpoint": "one of two endpoints takes calls and does not answer",
    "poison": "invalid messages are put into every queue",
}

Action = Literal[
    "endpoint hangs", "endpoint answers", "tokens revoked", "restart", "failover", "outage: hangs", "outage: refuses",
    "outage ends",
]  # fmt: skip
Part = Literal["quiet", "endpoint hung", "account out"]

_ROUND = 120.0
"""Length of a round in seconds. A long run has several, and repeats the faults of a round in each."""

_MANY = 500
"""More kills than this would leave workers no time but for importing."""

_LEAST = 60.0
"""Least seconds of a run, so that hangs outlast every timeout."""

# Times within a round, as shares of it.
_HANGS, _OUT = (0.08, 0.36), (0.50, 0.84)
_RESTART, _FAILOVER, _REVOKED = 0.43, 0.92, (0.30, 0.66)


@dataclass(frozen=True)
class Plan:
    """One run. All times are seconds.

    `kills` is the least number of workers to kill (0: as many as the run's time gives). With `split` three workers
    consume different queues.
    """

    renders: int = 500
    kills: int = 0
    workers: int = 3
    split: bool = False
    seed: int = 1
    faults: tuple[str, ...] = tuple(FAULTS)
    kill_every: float = 3.0
    feed_rate: float = 5.0
    render_seconds: float = 4.0
    render_spread: float = 0.5
    lease: float = 4.0
    sweep_every: float = 1.0
    evidence_window: float = 15.0
    visibility_timeout: int = 30
    valkey_down: float = 1.0
    frozen: tuple[float, float] = (5.0, 10.0)
    between_freezes: float = 8.0
    late: tuple[float, float] = (8.0, 25.0)
    """How late exports take effect: before, and after, the system gives them up."""
    late_share: float = 0.02
    reads_lag: float = 4.0
    reads_lag_share: float = 0.15
    poison_every: float = 1.5
    receiver_fails: float = 0.20
    settle_within: float = 400.0

    def has(self, fault: str) -> bool:
        """Return whether the run has this fault of `FAULTS`."""
        return fault in self.faults

    def only(self, faults: frozenset[str]) -> Self:
        """Return the plan with these faults alone."""
        return replace(self, faults=tuple(fault for fault in self.faults if fault in faults))

    @property
    def between_kills(self) -> float:
        """Return the seconds from one kill to the next: shorter if the plan asks for many."""
        if not self.kills:
            return self.kill_every
        return min(self.kill_every, max(1.2, 500 / self.kills))

    @property
    def feed_seconds(self) -> float:
        """Return the seconds over which requests are sent: as long as workers are killed, to keep the system busy."""
        return max(_LEAST, self.renders / self.feed_rate, self.kills * self.between_kills)

    @property
    def worker_queues(self) -> tuple[str, ...]:
        """Return the queues of each worker process."""
        if self.split:
            return ("requests,submit", "poll", "hooks")
        return ("requests,submit,poll,hooks",) * self.workers

    @property
    def hatched(self) -> bool:
        """Return whether workers are forked: if they are killed about every second."""
        return self.kills > _MANY

    @property
    def last_late_call(self) -> float:
        """Return how long after its client gave up a vendor call may still take effect."""
        return max(self.late) if self.has("slow-vendor") else 0.0

    def timeline(self) -> list[tuple[float, Action]]:
        """Return (seconds after the start, fault) in order; long runs have several rounds."""
        rounds = max(1, round(self.feed_seconds / _ROUND))
        length = self.feed_seconds / rounds
        return [((number + share) * length, action) for number in range(rounds) for share, action in self._round()]

    def _round(self) -> list[tuple[float, Action]]:
        found: list[tuple[float, Action]] = []
        if self.has("hanging-endpoint"):
            found += [(_HANGS[0], "endpoint hangs"), (_HANGS[1], "endpoint answers")]
        if self.has("vendor"):
            found += [(share, "tokens revoked") for share in _REVOKED]
        if self.has("restarts"):
            found.append((_RESTART, "restart"))
        if self.has("outages"):
            half = (_OUT[0] + _OUT[1]) / 2
            found += [(_OUT[0], "outage: hangs"), (half, "outage: refuses"), (_OUT[1], "outage ends")]
        if self.has("failovers"):
            found.append((_FAILOVER, "failover"))
        return sorted(found)

    def part(self, moment: float) -> Part:
        """Return the part of a round at a moment (seconds after the start)."""
        rounds = max(1, round(self.feed_seconds / _ROUND))
        share = moment / (self.feed_seconds / rounds) % 1
        if self.has("hanging-endpoint") and _HANGS[0] <= share < _HANGS[1]:
            return "endpoint hung"
        if self.has("outages") and _OUT[0] <= share < _OUT[1]:
            return "account out"
        return "quiet"

    def vendor_faults(self, *, paid: str) -> Iterator[dict[str, Any]]:
        """Yield the sandbox's fault rules; `paid` is the call that starts renders of the system under test."""
        if self.has("slow-vendor"):
            # Before the rules for all calls, which would otherwise take these calls first.
            for seconds in self.late:
                yield {"call": paid, "fault": "late", "rate": self.late_share, "seconds": seconds}
            yield {"call": list(READS), "fault": "stale-reads", "rate": self.reads_lag_share, "seconds": self.reads_lag}
        if self.has("vendor"):
            # Rules for all calls of the vendor's API, token and progress calls too.
            yield {"call": ANY_CALL, "fault": "drop", "rate": 0.03}
            yield {"call": ANY_CALL, "fault": "500", "rate": 0.015}
            yield {"call": ANY_CALL, "fault": "500-after", "rate": 0.015}
            yield {"call": ANY_CALL, "fault": "429", "rate": 0.03, "seconds": 1}
            # Longer than any client's timeout.
            yield {"call": ANY_CALL, "fault": "hang", "rate": 0.02, "seconds": self.lease + 2}
            yield {"call": ANY_CALL, "fault": "malformed", "rate": 0.01}
