"""What `appendfsync always` costs: renders accepted and submitted per second, for each setting in turn, three times.

`python -m tests.acceptance.faults.fsync_price [directory on the disk to be measured]`. The ledger's steps alone, by 16
threads in each of two processes, no vendor and no Celery: the most that the setting can cost.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from redis import Redis

from harness import Valkey
from harness.ledger import accept_render
from renderline.ledger import Ledger, Submission

PROCESSES, THREADS, RENDERS = 2, 16, 2000
BODY = '{"scenes": "' + "a" * 900 + '"}'


def submit(ledger: Ledger, render_id: str) -> None:
    """Take one render through the writes from its acceptance to its start at the vendor."""
    accept_render(ledger, render_id, account="default", deadline=3600.0, body=BODY)
    claim = ledger.claim_submission(render_id, lease=30)
    assert isinstance(claim, Submission)
    ledger.record_intent(claim, "draft", lease=30)
    ledger.advance(claim, stage="export", project_id="project")
    ledger.record_intent(claim, "export", lease=30)
    ledger.start(claim, confirmed=True, project_id="project", poll_in=3600)


def load(port: int, process: int) -> list[float]:
    """Submit one process's share; returns how long each render took, in seconds."""
    ledger = Ledger(Redis(port=port, decode_responses=True))

    def timed(number: int) -> float:
        began = time.perf_counter()
        submit(ledger, f"{process:02x}{number:030x}")
        return time.perf_counter() - began

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(timed, range(RENDERS)))


def measure(setting: str, directory: Path) -> tuple[float, float, float]:
    """Return renders per second, and the median and the 99th percentile of their times in milliseconds."""
    with Valkey(directory, "--appendfsync", setting) as valkey, multiprocessing.Pool(PROCESSES) as pool:
        began = time.perf_counter()
        shares = pool.starmap(load, [(valkey.port, process) for process in range(PROCESSES)])
        took = time.perf_counter() - began
    times = sorted(chain.from_iterable(shares))
    return len(times) / took, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000


def main() -> None:
    """Print a line for every run."""
    print("appendfsync  renders/s  median ms  p99 ms")
    for _ in range(3):
        for setting in ("always", "everysec", "no"):
            with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as directory:
                rate, median, worst = measure(setting, Path(directory))
            print(f"{setting:11}  {rate:9.0f}  {median:9.1f}  {worst:6.1f}", flush=True)


if __name__ == "__main__":
    main()
