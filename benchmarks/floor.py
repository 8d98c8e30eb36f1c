"""The floor for CPU times: the same HTTP calls by bare `requests`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.system import order
from harness import ROOT
from renderline.kinds import KINDS
from renderline.requests import load_request


def floor_seconds(url: str, *, renders: int = 0, polls: int = 0, directory: Path, plain: bool = False) -> float:
    """Return the CPU seconds of bare `requests` for the calls of `renders` renders and `polls` polls.

    `plain` leaves `trust_env` off: faster, and not what a new session does.
    """
    command = [sys.executable, "-m", "benchmarks.peers.bare", "--url", url, "--polls", str(polls)]
    if renders:
        path = directory / "body.json"
        path.write_text(json.dumps(vendor_body()))
        command += ["--renders", str(renders), "--body", str(path)]
    if plain:
        command.append("--plain")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return float(json.loads(done.stdout)["cpu"])


def vendor_body() -> dict[str, Any]:
    """Return the vendor's body of the request that the benchmarks send."""
    sent = {**order(0, ""), "hooks": []}
    request = load_request(sent, accounts=["default"], hook_kinds={}, max_bytes=1 << 20)
    return KINDS[request.kind].build(request.body, name="Order 0", webhook_url=None)
