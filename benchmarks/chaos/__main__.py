"""`make chaos`: runs the systems through the faults, prints the table, and ends with 1 if a promise was broken."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.chaos.contender import Contender, Site
from benchmarks.chaos.plain_chain import PlainChain
from benchmarks.chaos.plan import Plan
from benchmarks.chaos.renderline import Renderline
from benchmarks.chaos.run import Result, run
from benchmarks.chaos.table import show, write

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "chaos.json"
CONTENDERS: dict[str, Callable[[Site], Contender]] = {"renderline": Renderline, "chain": PlainChain}
_SCRUBBED = ("REDIS_", "AISTUDIOS_", "RENDERLINE_", "CELERY_", "FLOWER_")


def main(arguments: Sequence[str]) -> int:
    """Run and report; returns 1 if Renderline lost, forgot or paid twice for anything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--renders", type=int, default=500, metavar="N", help="default: %(default)s")
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="kill at least so many workers")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="worker processes, default: %(default)s")
    parser.add_argument("--split", action="store_true", help="three workers that serve different queues")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--only", choices=tuple(CONTENDERS), help="leave the other one out")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="default: %(default)s")
    chosen = parser.parse_args(arguments)
    # As an exception, so that every process that was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    plan = Plan(chosen.renders, chosen.kills, chosen.workers, chosen.split, chosen.seed)
    for name in [name for name in os.environ if name.startswith(_SCRUBBED)]:
        # What the shell has set must not change what is measured.
        del os.environ[name]
    console = Console(highlight=False)
    directory = ROOT / "var" / time.strftime("chaos-%Y%m%d-%H%M%S")
    results: dict[str, Result] = {}
    for name in [chosen.only] if chosen.only else CONTENDERS:
        console.print(f"{name}: {plan.renders} renders, about {plan.feed_seconds:.0f} s and the time to settle")
        begin = time.monotonic()

        def say(text: str, *, name: str = name, begin: float = begin) -> None:
            console.print(f"  {name} {time.monotonic() - begin:6.1f} s  {text}", markup=False)

        results[name] = run(CONTENDERS[name], plan, directory=directory / name, say=say)
    show(console, results)
    write(chosen.json, plan, results)
    console.print(f"Figures: {chosen.json}; logs: {directory.relative_to(ROOT)}", markup=False)
    ours = results.get("renderline")
    return 0 if ours is None or ours.figures.sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
