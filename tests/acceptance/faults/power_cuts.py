"""Power cuts of the Redis machine: its append-only file is cut at a random byte that was not yet known to be on disk.

`python -m tests.acceptance.faults.power_cuts [cuts] [--without]` counts renders that were exported twice; `--without`
does not wait for the disk. Every cut is a life of its own: a Valkey with `appendfsync everysec`, a vendor whose project
list shows nothing (so that no draft is found by its name), renders on their way; at a random moment the server is
killed, its file cut, and another worker goes on with what the file still tells.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis, RedisError

from harness import ROOT, Valkey
from harness.fake_vendor import FakeVendor, success
from harness.recorded_dispatcher import RecordedDispatcher
from harness.requests import record
from renderline.accounts.clients import AccountClients
from renderline.ledger import DiskSync, Ledger
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.retry import RetryPolicy
from renderline.studio import StudioV3
from renderline.submission.outcome import NotMyTurn, Submitted
from renderline.submission.submitter import Submitter

RENDERS = ("r1", "r2", "r3")
LEASE = 20.0
_LIFE = 2.4
"""Seconds within which the server is killed: about as long as a render takes to its export."""


class _Token:
    """The account's token, which is not what this is about."""

    def current(self) -> str:
        return "token"

    def refresh(self, refused: str) -> str:
        return "token"


@dataclass
class Cut:
    """What one power cut did."""

    exported_before: int
    """Renders whose paid call had reached the vendor."""
    lost: int
    """Bytes that the cut took from the file."""
    twice: list[str]
    """Renders that the vendor exported more than once, for all that the ledger knew."""


def cut_once(directory: Path, *, wait: bool, dice: random.Random) -> Cut:
    """Let renders be submitted, cut the power, let another worker go on, and return what the vendor saw."""
    with FakeVendor(render_seconds=600) as vendor, Valkey(directory, "--appendfsync", "everysec") as valkey:
        vendor.override = lambda call: success([]) if call.name == "list" else None
        log = directory / "appendonlydir" / "appendonly.aof.1.incr.aof"
        with _redis(valkey) as redis, submitter_of(redis, vendor, clock=None) as submitter:
            for one in RENDERS:
                accept(submitter.ledger, one)
            disk = DiskSync(redis)
            safe = [log.stat().st_size]
            disk.wait()

            def wait_for_disk() -> None:
                before = log.stat().st_size
                disk.wait()
                safe[0] = max(safe[0], before)

            if wait:
                submitter = replace(submitter, wait_for_disk=wait_for_disk)
            with ThreadPoolExecutor(len(RENDERS)) as pool:
                for one in RENDERS:
                    pool.submit(_quietly, submitter, one, dice.uniform(0, 0.4))
                time.sleep(dice.uniform(0, _LIFE))
                assert valkey.process
                valkey.process.kill()
        before = sum(vendor.exports_of(one) for one in RENDERS)
        size = log.stat().st_size
        keep = dice.randint(min(safe[0], size), size)
        with log.open("r+b") as file:
            file.truncate(keep)
        valkey.start()
        with _redis(valkey) as redis, submitter_of(redis, vendor, clock=lambda: time.time() + 2 * LEASE) as submitter:
            _go_on(submitter)
        twice = [one for one in RENDERS if vendor.exports_of(one) > 1]
        return Cut(before, size - keep, twice)


def _quietly(submitter: Submitter, one: str, after: float) -> None:
    time.sleep(after)
    with contextlib.suppress(RedisError):
        submitter.submit(one)


def _go_on(submitter: Submitter) -> None:
    """Do what the sweep and its messages would do, until nothing more is to be submitted."""
    for one in RENDERS:
        for _ in range(20):
            if isinstance(submitter.submit(one), Submitted | NotMyTurn):
                break


@contextlib.contextmanager
def _redis(valkey: Valkey) -> Iterator[Redis]:
    with Redis(port=valkey.port, decode_responses=True, socket_timeout=5) as redis:
        yield redis


@contextlib.contextmanager
def submitter_of(redis: Redis, vendor: FakeVendor, *, clock: Callable[[], float] | None) -> Iterator[Submitter]:
    ledger = Ledger(redis, grace=30.0, clock=clock)
    v3 = StudioV3(vendor.url, tokens=_Token(), read_timeout=10.0)
    yield Submitter(
        ledger=ledger,
        dispatcher=RecordedDispatcher(),
        accounts={"main": AccountClients("main", v3, None)},
        mode="two_phase",
        lease=LEASE,
        policy=PollPolicy(first_interval=1.0),
        durations=Durations(ledger),
        retries=RetryPolicy(attempts=30, base=0.05, cap=0.2),
    )
    v3.close()


def accept(ledger: Ledger, one: str) -> None:
    data = json.loads((ROOT / "examples" / "compact-landscape.json").read_text())
    record(ledger, one, {**data, "hooks": []})


def run(cuts: int, *, wait: bool, at_once: int = 6, seed: int = 1) -> list[Cut]:
    """Cut so often, several lives beside each other."""

    def one(number: int) -> Cut:
        with tempfile.TemporaryDirectory() as directory:
            return cut_once(Path(directory), wait=wait, dice=random.Random(seed * 1_000_003 + number))

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, range(cuts)))


def main() -> None:
    """Print what came of it."""
    wait = "--without" not in sys.argv
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    found = run(numbers[0] if numbers else 20, wait=wait)
    print(
        f"{len(found)} cuts, {'waiting' if wait else 'not waiting'} for the disk: "
        f"{sum(one.exported_before for one in found)} of {len(found) * len(RENDERS)} renders exported before the cut, "
        f"{sum(one.lost > 0 for one in found)} cuts lost something ({sum(one.lost for one in found)} bytes), "
        f"{sum(len(one.twice) for one in found)} renders exported twice"
    )


if __name__ == "__main__":
    main()
