"""`make attack`: runs the attacks, prints what held, and ends with 1 if anything did not."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.attack.attack import Attack, Finding, attacks
from benchmarks.attack.table import Outcome, show, write
from benchmarks.attack.target import Target

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "attack.json"
_SCRUBBED = ("REDIS_", "AISTUDIOS_", "RENDERLINE_", "CELERY_", "FLOWER_")


def main(arguments: Sequence[str]) -> int:
    """Run and report; returns 1 if an attack was not held off."""
    every = list(attacks())
    chosen = _parser(every).parse_args(arguments)
    console = Console(highlight=False)
    if chosen.list:
        for one in every:
            console.print(f"{one.name:26} {one.what}", markup=False)
        return 0
    # An exception, so that the started processes are ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    for name in [name for name in os.environ if name.startswith(_SCRUBBED)]:
        # Variables of the shell must not change what is attacked.
        del os.environ[name]
    # Files that the attacked processes write must be safe by their own doing.
    os.umask(0o022)
    directory = ROOT / "var" / time.strftime("attack-%Y%m%d-%H%M%S")
    outcomes: list[Outcome] = []
    with Target(directory) as target:
        for one in [one for one in every if not chosen.only or one.name in chosen.only]:
            outcome = _carry_out(one, target, long=chosen.long)
            outcomes.append(outcome)
            console.print(
                f"{outcome.verdict:8} {outcome.name:26} {outcome.seconds:5.1f} s  {outcome.figure}",
                markup=False,
                soft_wrap=True,
            )
    show(console, outcomes)
    write(chosen.out, outcomes, order=[one.name for one in every], whole=not chosen.only)
    console.print(f"Figures: {chosen.out}", markup=False)
    console.print(f"Logs: {directory.relative_to(ROOT)}", markup=False)
    return 0 if all(outcome.held for outcome in outcomes) else 1


def _carry_out(one: Attack, target: Target, *, long: bool) -> Outcome:
    begin = time.monotonic()
    try:
        finding = one.run(target, long)
    except Exception as error:
        # An attack that cannot be carried out has not been held off.
        traceback.print_exc()
        finding = Finding(False, f"not carried out: {type(error).__name__}: {str(error)[:200]}")
    target.repair()
    return Outcome(one.name, one.what, finding.held, finding.figure, time.monotonic() - begin)


def _parser(every: Sequence[Attack]) -> argparse.ArgumentParser:
    names = frozenset(one.name for one in every)

    def some(text: str) -> frozenset[str]:
        found = frozenset(name.strip() for name in text.split(",") if name.strip())
        if unknown := found - names:
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: no attack; --list shows all")
        return found

    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the attacks and what they do")
    parser.add_argument("--only", type=some, default=frozenset(), metavar="ATTACK,...", help="only these")
    parser.add_argument("--long", action="store_true", help="the long forms: more connections, messages and hooks")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, metavar="FILE", help="default: %(default)s; --only renews rows of it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
