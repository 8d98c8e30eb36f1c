"""Audit of what Renderline ships: known holes and licences of its dependencies, and secrets in its files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import advisories
import licences
import secret_scan
from result import Result

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-s3.txt", "requirements-embedded.txt")
"""What an installation may hold: the application, what S3 needs, the Redis of `make up`."""


def main(arguments: Sequence[str]) -> int:
    """Print a line for each check, and what it found; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("--only", choices=sorted(_CHECKS), action="append", help="one of the checks; may be repeated")
    options = parser.parse_args(arguments)
    failed = False
    for name in options.only or _CHECKS:
        for result in _CHECKS[name](options.root):
            failed |= result.verdict == "FAIL"
            print(f"{result.verdict:<8} {name:<10} {result.text}", flush=True)
    return int(failed)


_CHECKS: dict[str, Callable[[Path], Iterator[Result]]] = {
    "advisories": lambda root: (result for lock in LOCKS for result in advisories.check(root / lock)),
    "licences": lambda root: (result for lock in LOCKS for result in licences.check(root / lock)),
    "secrets": secret_scan.check,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
