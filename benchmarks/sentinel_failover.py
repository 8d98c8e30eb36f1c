"""Renders through two failovers behind real Sentinels: what is lost, what is paid twice, how long it takes.

`python -m benchmarks.sentinel_failover` enqueues renders at a steady pace while the primary is killed (SIGKILL), and
the next one frozen until a replica is promoted and then let go on (SIGSTOP, SIGCONT). It does so with Redis' defaults,
and with the settings that docs/redis.md recommends. A client that keeps writing to the former primary counts the writes
that were acknowledged and are gone. The sandbox counts what was paid for. The figures go to
benchmarks/results/sentinel_failover.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from benchmarks import machine
from benchmarks.system import order, scrub
from harness import HOOK_SECRET, USER_KEY, until
from harness.hook_endpoint import HookEndpoint
from harness.processes import SandboxProcess, Valkey, Worker
from harness.sentinels import Sentinels
from renderline.ledger import Ledger
from renderline.producer import celery_options, enqueue_render
from renderline.renders import FINAL
from workers.redis_pool import open_client

RESULTS = Path(__file__).parent / "results" / "sentinel_failover.json"

_FROZEN = 3.0
"""Seconds for which the frozen primary stays so after another was promoted."""
_RECOMMENDED = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "2")


@dataclass
class Writer:
    """Writes to one server over one connection until it is refused; a client that learns nothing of the failover."""

    server: Valkey
    acknowledged: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        retry = Retry(NoBackoff(), 0)
        with Redis(port=self.server.port, socket_timeout=60, retry=retry, single_connection_client=True) as redis:
            for number in range(100_000):
                if self._stop.wait(0.005):
                    return
                try:
                    redis.set(f"probe:{self.server.port}:{number}", "", ex=600)
                except RedisError:
                    return
                self.acknowledged.append(f"probe:{self.server.port}:{number}")

    def stop(self) -> None:
        """Stop writing."""
        self._stop.set()
        self._thread.join(60)


@dataclass
class Producer:
    """A service that enqueues renders at a steady pace and sends each again until a worker has accepted it."""

    app: Celery
    hook_url: str
    renders: int
    pace: float
    accepted: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def start(self) -> None:
        """Begin in a thread."""
        self.thread = threading.Thread(target=self._enqueue, daemon=True)
        self.thread.start()

    def _enqueue(self) -> None:
        for number in range(self.renders):
            begin = time.monotonic()
            while True:
                with contextlib.suppress(RedisError, OperationalError, OSError, TimeoutError):
                    request = order(number, self.hook_url)
                    self.accepted.append(enqueue_render(self.app, request, key=f"order-{number}", wait=10))
                    break
                time.sleep(0.2)
            self.slowest = max(self.slowest, time.monotonic() - begin)
            time.sleep(self.pace)


def run(renders: int, *, recommended: bool, pace: float) -> dict[str, Any]:
    """Run the renders through both failovers; `recommended`: with the settings that bound what is lost."""
    with ExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        options = _RECOMMENDED if recommended else ()
        sentinels = parts.enter_context(Sentinels(directory, *options, replicas=2, down_after=2.0))
        sandbox = SandboxProcess(directory / "sandbox.log", "--render-seconds", "1")
        parts.callback(sandbox.kill)
        endpoint = parts.enter_context(HookEndpoint())
        environ = {
            "REDIS_URL": sentinels.url,
            "AISTUDIOS_BASE_URL": sandbox.url,
            "AISTUDIOS_V2_BASE_URL": sandbox.url,
            "AISTUDIOS_APP_ID": "studioV3.benchmark",
            "AISTUDIOS_USER_KEY": USER_KEY,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_DATA_DIR": str(directory),
            "RENDERLINE_POLL_MIN": "1",
            "RENDERLINE_LEASE": "10",
            "RENDERLINE_SLOW_LEASE": "10",
            "RENDERLINE_EVIDENCE_WINDOW": "10",
            "RENDERLINE_WAIT_FOR_DISK": "auto",
            "RENDERLINE_WAIT_FOR_REPLICAS": "1" if recommended else "0",
        }
        for number in range(2):
            log = directory / f"worker-{number}.log"
            worker = Worker(log, queues="requests,submit,poll,hooks", environ=environ)
            parts.callback(worker.kill)
            worker.wait_ready()
        app = parts.enter_context(Celery("billing", set_as_current=False))
        app.conf.update(celery_options(sentinels.url))
        producer = Producer(app, endpoint.url, renders, pace)
        producer.start()
        failovers = [_killed, _frozen]
        happened = []
        for number, fail in enumerate(failovers, 1):
            wanted = renders * number // (len(failovers) + 1)
            until(lambda wanted=wanted: len(producer.accepted) >= wanted, what="renders", seconds=300)
            happened.append(fail(sentinels, directory))
            print(
                f"  {happened[-1]['by']}: a new primary after {happened[-1]['seconds to a new primary']} s", flush=True
            )
        producer.thread.join(300)
        redis = parts.enter_context(open_client(sentinels.url, decode_responses=True))
        ledger = Ledger(redis)
        ids = producer.accepted
        ended = _ended(ledger, ids)
        paid: Counter[str] = Counter()
        for project in sandbox.projects():
            # "Order 17" and our tag, which differs for each draft of the render.
            paid[" ".join(project["name"].split()[:2])] += project["credits"]
    lost = [one for one in ids if ended.get(one) is None]
    return {
        "settings": "recommended" if recommended else "defaults",
        "renders": renders,
        "accepted": len(ids),
        "failovers": [{name: value for name, value in one.items() if name != "had"} for one in happened],
        "delivered": sum(state == "delivered" for state in ended.values()),
        "accepted and lost": len(lost),
        "had by the promoted replica and lost": len({one for fail in happened for one in fail["had"]} & set(lost)),
        "credits charged": sum(paid.values()),
        "renders paid for twice": sum(count > 1 for count in paid.values()),
        "longest wait of the producer, seconds": round(producer.slowest, 1),
    }


def _ended(ledger: Ledger, ids: Sequence[str]) -> dict[str, str | None]:
    """Wait until every render that the ledger has is in a final state; returns the states."""

    def states() -> dict[str, str | None]:
        return {one: record and record["state"] for one, record in zip(ids, ledger.records(ids), strict=True)}

    until(lambda: all(state in {*FINAL, None} for state in states().values()), what="ends", seconds=300)
    return states()


def _killed(sentinels: Sentinels, directory: Path) -> dict[str, Any]:
    """Kill the primary; it comes back later as a replica."""
    happened = _failover(sentinels, signal.SIGKILL)
    former: Valkey = happened.pop("former")
    former.start()
    until(lambda: sentinels.replicas_of(sentinels.primary) == 2, what="the former primary as a replica", seconds=120)
    return happened


def _frozen(sentinels: Sentinels, directory: Path) -> dict[str, Any]:
    """Freeze the primary until another one is promoted; then let it go on as if nothing had happened."""
    happened = _failover(sentinels, signal.SIGSTOP)
    happened.pop("former")
    until(lambda: sentinels.replicas_of(sentinels.primary) == 2, what="the former primary as a replica", seconds=120)
    return happened


def _failover(sentinels: Sentinels, number: signal.Signals) -> dict[str, Any]:
    writer = Writer(sentinels.primary)
    time.sleep(1)
    begin = time.monotonic()
    former = sentinels.fail_over(number)
    seconds = time.monotonic() - begin
    with sentinels.client(sentinels.primary) as redis:
        had = {key.rpartition(":")[2] for key in redis.scan_iter("renderline:render:*", count=1000)}
    if number == signal.SIGSTOP:
        time.sleep(_FROZEN)
        assert former.process
        former.process.signal(signal.SIGCONT)
        # Until the Sentinels have made it a replica, which refuses writes.
        writer._thread.join(30)
    writer.stop()
    with sentinels.client(sentinels.primary) as redis:
        kept = sum(redis.exists(*chunk) for chunk in _chunks(writer.acknowledged))
    return {
        "by": number.name,
        "seconds to a new primary": round(seconds, 1),
        "acknowledged writes": len(writer.acknowledged),
        "of these lost": len(writer.acknowledged) - kept,
        "had": had,
        "former": former,
    }


def _chunks(keys: list[str]) -> list[list[str]]:
    return [keys[at : at + 500] for at in range(0, len(keys), 500)]


def main(arguments: Sequence[str]) -> int:
    """Run, print and keep the figures; 1 if something was lost or paid twice with the recommended settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentinel_failover", description=__doc__)
    parser.add_argument("--renders", type=int, default=300)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds between two renders; default: %(default)s")
    parser.add_argument("--only", choices=["defaults", "recommended"])
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    scrub()
    arms = [arm for arm in ("recommended", "defaults") if chosen.only in (None, arm)]
    runs = []
    for arm in arms:
        print(arm, flush=True)
        runs.append(run(chosen.renders, recommended=arm == "recommended", pace=chosen.pace))
        print(json.dumps(runs[-1], indent=1), flush=True)
        chosen.json.write_text(json.dumps({"machine": machine.described(), "runs": runs}, indent=1) + "\n")
    held = all(not one["renders paid for twice"] and not one["had by the promoted replica and lost"] for one in runs)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
