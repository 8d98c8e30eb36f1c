"""A receiver that was away for two hours gets everything, without anybody's help. When?

`python -m benchmarks.away_receiver` has renders end while their receiver is away, with real workers and HTTP. All waits
of hooks are shortened by one factor, so that two hours take ten seconds. It measures when the receiver has everything,
and how often it was called meanwhile. It runs twice: the receiver answers 503, and nothing listens on its port. The
figures go to benchmarks/results/away_receiver.json, in seconds of the real schedule.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from celery import Celery
from redis import Redis

from benchmarks import machine
from benchmarks.system import System, order, scrub
from harness import until
from harness.hook_endpoint import HookEndpoint
from renderline.ledger import Ledger
from renderline.producer import enqueue_renders
from renderline.retry import WAITS

RESULTS = Path(__file__).parent / "results" / "away_receiver.json"
PROBE = 20.0
"""The seconds between the probes of a host, as they are without a setting."""


@dataclass(frozen=True)
class Plan:
    """How many renders, how long their receiver is away, and by which factor that is shortened."""

    renders: int = 50
    away: float = 7200.0
    factor: float = 720.0
    workers: int = 2
    how: Literal["answers 503", "refuses connections"] = "answers 503"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the workers: every wait in proportion."""
        waits = ",".join(f"{wait / self.factor:.6f}" for wait in WAITS)
        return {
            "RENDERLINE_HOOK_WAITS": waits,
            "RENDERLINE_HOOK_RETRY_FOR": f"{3 * 86_400 / self.factor:g}",
            "RENDERLINE_HOOK_PROBE": f"{PROBE / self.factor:.6f}",
            "RENDERLINE_POLL_MIN": "0.5",
            "RENDERLINE_SWEEP_EVERY": "0.5",
        }


def run(plan: Plan) -> dict[str, Any]:
    """Have the receiver go away and come back; returns the figures, times in seconds of the real schedule."""
    with ExitStack() as parts:
        system = parts.enter_context(System.open())
        stub = system.stub("--seconds", "0.2-0.4")
        receiver = Receiver(parts, back=plan.how == "answers 503")
        system.workers(plan.workers, stub.url, **plan.settings)
        app = Celery("producer", broker=system.valkey.url)
        parts.callback(app.close)
        redis = parts.enter_context(Redis.from_url(system.valkey.url, decode_responses=True))
        ledger = Ledger(redis)
        ids = enqueue_renders(app, [order(number, receiver.url) for number in range(plan.renders)])
        until(lambda: _in(ledger, ids, "completed"), what="the renders to end", seconds=120)
        begin = time.monotonic()
        time.sleep(plan.away / plan.factor)
        failed = sum(record["hooks"][0]["attempts"] for record in _records(ledger, ids))
        untouched = _in(ledger, ids, "completed")
        own_pause = max((_paused(redis, one) for one in ids), default=0.0)
        seen = len(receiver.times)
        receiver.comes_back()
        back = time.monotonic()
        until(lambda: _in(ledger, ids, "delivered"), what="every hook", seconds=300)
        took = [at for at in receiver.times[seen:] if at >= back]
        calls = Counter(body["data"]["id"] for body in receiver.endpoint.bodies[seen:])
        return {
            "receiver": plan.how,
            "renders": plan.renders,
            "away for": round((back - begin) * plan.factor),
            "calls while away": failed,
            "hooks given up": 0 if untouched else plan.renders,
            "after it was back": {
                "the first hook came after": round((took[0] - back) * plan.factor),
                # Not scaled: the limits of a worker are those of every day.
                "and the last so much later": round(took[-1] - took[0], 1),
                "the last would have come after": round(own_pause * plan.factor),
            },
            "delivered": len(calls),
            "delivered twice": sum(count > 1 for count in calls.values()),
        }


class Receiver:
    """An HTTP receiver that is away: it answers 503, or (not `back`) does not listen at all."""

    def __init__(self, parts: ExitStack, *, back: bool) -> None:
        self._parts, self._away = parts, True
        self.times: list[float] = []
        self.endpoint = HookEndpoint(self._answer)
        self.url, self._listens = self.endpoint.url, back
        if back:
            parts.enter_context(self.endpoint)
        else:
            self.endpoint.close()

    def _answer(self, _: dict[str, Any]) -> int:
        self.times.append(time.monotonic())
        return 503 if self._away else 204

    def comes_back(self) -> None:
        """Take hooks from now on."""
        self._away = False
        if not self._listens:
            self.endpoint = self._parts.enter_context(HookEndpoint(self._answer, port=self.endpoint.port))


def _paused(redis: Redis, one: str) -> float:
    """Return for how many seconds a failed hook still waits for its own time; 0 while it is called."""
    until_, failed = redis.hmget(f"renderline:render:{one}", "h0:until", "h0:failed_at")
    return float(until_) - time.time() if until_ and failed else 0.0


def _records(ledger: Ledger, ids: Sequence[str]) -> list[dict[str, Any]]:
    return [record for record in ledger.records(ids) if record]


def _in(ledger: Ledger, ids: Sequence[str], state: str) -> bool:
    records = _records(ledger, ids)
    return len(records) == len(ids) and all(record["state"] == state for record in records)


def main(arguments: Sequence[str]) -> int:
    """Run, print and keep the figures; 1 if a hook was lost or came twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.away_receiver", description=__doc__)
    parser.add_argument("--renders", type=int, default=50)
    parser.add_argument("--factor", type=float, default=720.0, help="by which all waits are shortened")
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    scrub()
    runs = []
    for how in ("answers 503", "refuses connections"):
        runs.append(run(Plan(chosen.renders, factor=chosen.factor, how=how)))  # type: ignore[arg-type]
        print(json.dumps(runs[-1], indent=1), flush=True)
    chosen.json.write_text(json.dumps({"machine": machine.described(), "runs": runs}, indent=1) + "\n")
    return 0 if all(one["delivered"] == one["renders"] and not one["delivered twice"] for one in runs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
