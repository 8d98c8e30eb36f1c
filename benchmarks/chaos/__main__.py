"""`make chaos`: runs the systems through the faults, prints the tables, and ends with 1 if a promise was broken."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.chaos.plain_chain import PlainChain
from benchmarks.chaos.plan import FAULTS, Plan
from benchmarks.chaos.renderline import Renderline
from benchmarks.chaos.run import Result, run
from benchmarks.chaos.table import show, write

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "chaos.json"
CONTENDERS: dict[str, type[Renderline] | type[PlainChain]] = {"renderline": Renderline, "chain": PlainChain}
_SCRUBBED = ("REDIS_", "AISTUDIOS_", "RENDERLINE_", "CELERY_", "FLOWER_")


def main(arguments: Sequence[str]) -> int:
    """Run and report; returns 1 if Renderline broke a promise."""
    chosen = _parser().parse_args(arguments)
    # An exception, so that the started processes are ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    plan = _plan(chosen)
    for name in [name for name in os.environ if name.startswith(_SCRUBBED)]:
        # Variables of the shell must not change what is measured.
        del os.environ[name]
    console = Console(highlight=False)
    directory = ROOT / "var" / time.strftime("chaos-%Y%m%d-%H%M%S")
    results: dict[str, Result] = {}
    for name in [chosen.only] if chosen.only else CONTENDERS:
        make = CONTENDERS[name]
        its_plan = plan.only(make.meets)
        console.print(
            f"{name}: {plan.renders} renders, about {plan.feed_seconds:.0f} s and the time to settle; "
            f"faults: {', '.join(its_plan.faults)}"
        )
        begin = time.monotonic()

        def say(text: str, *, name: str = name, begin: float = begin) -> None:
            console.print(f"  {name} {time.monotonic() - begin:6.1f} s  {text}", markup=False)

        results[name] = run(make, its_plan, directory=directory / name, say=say)
    show(console, results)
    write(chosen.out, results)
    console.print(f"Figures: {chosen.out}; logs: {directory.relative_to(ROOT)}", markup=False)
    ours = results.get("renderline")
    return 0 if ours is None or ours.figures.sound else 1


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    faults = "\n".join(f"  {name:17} {what}" for name, what in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos", description=__doc__, epilog=f"faults:\n{faults}", formatter_class=formatter
    )
    parser.add_argument("--renders", type=int, metavar="N", help="default: 500, or as many as kills")
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="kill at least so many workers")
    parser.add_argument("--workers", type=int, metavar="N", help="worker processes, default: 3")
    parser.add_argument("--split", action="store_true", help="three workers that serve different queues")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--only", choices=tuple(CONTENDERS), help="leave the other one out")
    parser.add_argument("--without", type=_faults, default=frozenset(), metavar="FAULT,...", help="leave these out")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE", help="default: %(default)s")
    return parser


def _plan(chosen: argparse.Namespace) -> Plan:
    plan = Plan(
        renders=chosen.renders or max(Plan.renders, chosen.kills),
        kills=chosen.kills,
        workers=chosen.workers or Plan.workers,
        split=chosen.split,
        seed=chosen.seed,
    )
    return plan.only(frozenset(FAULTS) - chosen.without)


def _faults(text: str) -> frozenset[str]:
    found = frozenset(name.strip() for name in text.split(",") if name.strip())
    if unknown := found - set(FAULTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: must be among {', '.join(FAULTS)}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
