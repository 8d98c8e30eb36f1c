"""Known holes of the locked packages: pip-audit, with the database of PyPI, or of OSV where that does not answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from result import Result

SERVICES: Sequence[Sequence[str]] = (("-s", "pypi"), ("-s", "osv"))
_SECONDS = 10


def check(lock: Path, services: Sequence[Sequence[str]] = SERVICES) -> Iterator[Result]:
    """Yield a failure for each package with a known hole, or a skipped check where no database answers."""
    reasons = []
    for service in services:
        found, reason = _asked(lock, service)
        audited = [package for package in found if "skip_reason" not in package]
        if not audited:
            reasons.append(f"{service[1]}: {reason or 'it knows none of the packages'}")
            continue
        holes = [(package, hole) for package in audited for hole in package["vulns"]]
        for package, hole in holes:
            fixed = f"use {' or '.join(hole['fix_versions'])}" if hole["fix_versions"] else "no version is fixed yet"
            yield Result("FAIL", f"{package['name']} {package['version']}: {hole['id']}; {fixed}: make lock")
        unknown = [package["name"] for package in found if "skip_reason" in package]
        if unknown:
            yield Result("skipped", f"unknown to the database {service[1]}: {', '.join(unknown)}")
        if not holes:
            yield Result("ok", f"pip-audit: no known hole in {len(audited)} locked packages ({service[1]})")
        return
    yield Result("skipped", f"pip-audit: no database of advisories answers here ({'; '.join(reasons)})")


def _asked(lock: Path, service: Sequence[str]) -> tuple[list[dict[str, Any]], str]:
    """Return pip-audit's answer for each package, or none and the reason."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--disable-pip", "--require-hashes", *service]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", str(_SECONDS)]
    asked = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        return json.loads(asked.stdout)["dependencies"], ""
    except ValueError:
        lines = asked.stderr.strip().splitlines()
        return [], (lines[-1].partition(":")[0] if lines else f"exit code {asked.returncode}")
