"""What a run does to the system: how many renders, how many kills, which faults, in which time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ANY_CALL = "*"


@dataclass(frozen=True)
class Plan:
    """One run. All times are seconds.

    `kills` is the least number of workers to kill (0: as many as the run's time gives). With `split` three workers
    serve different queues.
    """

    renders: int = 500
    kills: int = 0
    workers: int = 2
    split: bool = False
    seed: int = 1
    kill_every: float = 3.0
    feed_rate: float = 5.0
    render_seconds: float = 4.0
    render_spread: float = 0.5
    lease: float = 4.0
    sweep_every: float = 1.0
    visibility_timeout: int = 30
    valkey_down: float = 1.0
    receiver_fails: float = 0.20
    settle_within: float = 240.0

    @property
    def between_kills(self) -> float:
        """Return the time from one kill to the next: shorter where many were asked for."""
        if not self.kills:
            return self.kill_every
        return min(self.kill_every, max(1.5, 500 / self.kills))

    @property
    def feed_seconds(self) -> float:
        """Return over which time the requests are sent: as long as workers are killed, so that the system is busy."""
        return max(self.renders / self.feed_rate, self.kills * self.between_kills)

    @property
    def crew(self) -> tuple[str, ...]:
        """Return the queues of each worker process."""
        if self.split:
            return ("requests,submit", "poll", "hooks")
        return ("requests,submit,poll,hooks",) * self.workers

    def vendor_faults(self) -> list[dict[str, Any]]:
        """Return the sandbox's fault rules: shares of all calls of the vendor's API, token and progress calls too."""
        return [
            {"call": ANY_CALL, "fault": "drop", "rate": 0.03},
            {"call": ANY_CALL, "fault": "500", "rate": 0.015},
            {"call": ANY_CALL, "fault": "500-after", "rate": 0.015},
            {"call": ANY_CALL, "fault": "429", "rate": 0.03, "seconds": 1},
            # Longer than any client here waits.
            {"call": ANY_CALL, "fault": "hang", "rate": 0.02, "seconds": self.lease + 2},
            {"call": ANY_CALL, "fault": "malformed", "rate": 0.01},
        ]
