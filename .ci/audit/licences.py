"""Licences of the locked packages, as pip-licenses reads them from what is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from result import Result

ALLOWED = frozenset(
    {
        "Apache Software License",
        "Apache-2.0",
        "BSD License",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT License",
        # Of certifi: it covers the file of certificates itself, which nobody changes here.
        "Mozilla Public License 2.0 (MPL 2.0)",
        "MPL-2.0",
        "PSF-2.0",
        "Python Software Foundation License",
    }
)
"""Licences under which a package may be a part of an application that is not published itself."""


def check(lock: Path) -> Iterator[Result]:
    """Yield a failure for each locked package with a licence that is not allowed, or with none that is known."""
    names = re.findall(r"^([a-z0-9._-]+)==", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    command = [
        sys.executable,
        "-m",
        "piplicenses",
        "--from=mixed",
        "--with-system",
        "--format=json",
        "--packages",
        *names,
    ]
    read = subprocess.run(command, capture_output=True, text=True, check=False)
    if read.returncode:
        yield Result("FAIL", f"pip-licenses: {read.stderr.strip()[-300:]}; make install")
        return
    found = {_normal(package["Name"]): package["License"] for package in json.loads(read.stdout)}
    failed = False
    for name in names:
        licence = found.get(_normal(name))
        if licence is None:
            yield Result("FAIL", f"{name} is locked but not installed: make install")
        elif not is_allowed(licence):
            yield Result("FAIL", f"{name}: the licence {licence!r} is not among those allowed in .ci/audit/licences.py")
        else:
            continue
        failed = True
    if not failed:
        yield Result("ok", f"pip-licenses: {len(names)} locked packages have an allowed licence")


def is_allowed(licence: str) -> bool:
    """Return whether an SPDX expression, or classifiers with semicolons between, leaves an allowed choice."""
    # Brackets occur in names and in nested expressions. None of the latter is known: it fails until someone reads it.
    return any(
        all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+|;", choice))
        for choice in re.split(r"\s+OR\s+", licence)
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
