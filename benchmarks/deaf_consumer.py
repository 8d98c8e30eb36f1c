"""Workers whose connection to the broker delivers nothing, while the connection is open. Who notices, and when?

`python -m benchmarks.deaf_consumer` makes the connection of a worker's queues go deaf again and again, by turns with
nothing passing and with empty answers, while renders come in. It measures how long the worker takes to replace its
consumer, and counts what was delivered. The figures go to benchmarks/results/deaf_consumer.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

from redis import Redis

from benchmarks import machine
from benchmarks.result import quantile, rounded
from benchmarks.system import System, order, scrub
from harness import HOOK_SECRET, until
from harness.deaf_proxy import DeafProxy, Way
from renderline.ledger import Ledger
from renderline.renders import FINAL

RESULTS = Path(__file__).parent / "results" / "deaf_consumer.json"


def run(rounds: int, interval: float, renders: int) -> dict[str, Any]:
    """Make the consumer deaf `rounds` times, with `renders` new renders each time; `interval` is that of the canary."""
    noticed: list[float] = []
    ways = itertools.cycle(get_args(Way))
    ids: list[str] = []
    with ExitStack() as parts:
        system = parts.enter_context(System.open())
        stub = system.stub("--seconds", "1-2")
        proxy = DeafProxy(system.valkey.port)
        parts.callback(proxy.close)
        proxied = f"redis://127.0.0.1:{proxy.port}/0"
        settings = {"REDIS_URL": proxied, "RENDERLINE_CANARY_INTERVAL": f"{interval:g}", "RENDERLINE_POLL_MIN": "1"}
        (worker,) = system.workers(1, stub.url, **settings)
        # Over HTTP: a message that a deaf connection takes is lost, which concerns messages of accepted renders alone.
        gateway = system.gateway(RENDERLINE_HOOK_SECRET=HOOK_SECRET)
        redis = parts.enter_context(Redis.from_url(system.valkey.url, decode_responses=True))
        for number in range(rounds):
            until(lambda: proxy.consuming == 1, what="a connection of queues")
            before = worker.output().count("no longer deaf")
            found = worker.output().count("consumer is deaf")
            begin = time.monotonic()
            proxy.deafen(next(ways))
            ids += [gateway.accept(order(number * renders + one, f"{stub.url}/hook")) for one in range(renders)]
            until(lambda: proxy.consuming == 1, what="a replaced consumer", seconds=120)
            noticed.append(time.monotonic() - begin)
            if worker.output().count("consumer is deaf") > found:
                until(lambda before=before: worker.output().count("no longer deaf") > before, what="a canary")
            else:
                # kombu noticed it first.
                time.sleep(2 * interval)
            print(f"  {number + 1:3} of {rounds}: replaced after {noticed[-1]:.1f} s", flush=True)
        ledger = Ledger(redis)
        until(
            lambda: all(record and record["state"] in FINAL for record in ledger.records(ids)), what="ends", seconds=300
        )
        records = ledger.records(ids)
        alive, replaced = worker.running, worker.output().count("consumer is deaf")
        exports = stub.count("export")
    return {
        "interval": interval,
        "rounds": rounds,
        "replaced by the canary": replaced,
        "seconds to replace": {"median": rounded([quantile(noticed, 0.5)])[0], "longest": rounded([max(noticed)])[0]},
        "renders": len(ids),
        "delivered": sum(record is not None and record["state"] == "delivered" for record in records),
        "exports": exports,
        "worker alive": alive,
    }


def main(arguments: Sequence[str]) -> int:
    """Run, print and keep the figures; 1 if something was lost or took longer than 30 s with the default interval."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deaf_consumer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--interval", type=float, default=1.0, help="of the canary, in seconds; default: %(default)s")
    parser.add_argument("--default-rounds", type=int, default=3, help="rounds with the canary's default of 5 s")
    parser.add_argument("--renders", type=int, default=10, help="new renders in each round")
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    scrub()
    plans = [(chosen.rounds, chosen.interval), (chosen.default_rounds, 5.0)]
    runs = [run(rounds, interval, chosen.renders) for rounds, interval in plans if rounds]
    chosen.json.write_text(json.dumps({"machine": machine.described(), "runs": runs}, indent=1) + "\n")
    print(json.dumps(runs, indent=1))
    held = all(
        one["delivered"] == one["renders"] == one["exports"]
        and one["worker alive"]
        and one["seconds to replace"]["longest"] <= 7 * one["interval"]
        for one in runs
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
