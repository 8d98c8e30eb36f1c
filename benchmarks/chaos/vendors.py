"""The vendors of a run: a sandbox for most accounts, and one for the account with an outage."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.chaos.plan import Plan
from harness import SandboxProcess

ACCOUNTS = ("default", "default", "second", "third")
"""The account of each order, in turn."""

ILL = "second"


class Vendors:
    """Both sandboxes, counted as one."""

    def __init__(self, directory: Path, plan: Plan) -> None:
        # The list shows drafts: those whose answers were lost are found by their names, and none is left over.
        options = ["--list", "all", "--render-seconds", f"{plan.render_seconds:g}"]
        options += ["--spread", f"{plan.render_spread:g}"]
        self._both: list[SandboxProcess] = []
        for number, name in enumerate(("sandbox", "sandbox-ill")):
            log = directory / f"{name}.log"
            self._both.append(SandboxProcess(log, *options, "--seed", str(plan.seed * 2 + number)))

    @property
    def url(self) -> str:
        """Return the URL of the vendor of most accounts."""
        return self._both[0].url

    @property
    def ill_url(self) -> str:
        """Return the URL of the vendor of the account `ILL`."""
        return self._both[1].url

    def put_in_force(self, plan: Plan, *, paid: str) -> None:
        """Cause faults of vendor calls from now on."""
        for sandbox in self._both:
            for rule in plan.vendor_faults(paid=paid):
                sandbox.control("POST", "faults", **rule)

    def revoke_tokens(self) -> None:
        """Refuse every token issued so far."""
        for sandbox in self._both:
            sandbox.control("POST", "revoke-tokens")

    def outage(self, *, on: bool, hangs: bool = False) -> None:
        """Start or end an outage of the one account's vendor."""
        self._both[1].control("POST", "outage", on=on, hangs=hangs)

    def projects(self) -> list[dict[str, Any]]:
        """Return every project ever created."""
        return [project for sandbox in self._both for project in sandbox.projects()]

    def counts(self) -> dict[str, int]:
        """Return the calls by endpoint."""
        return dict(sum((Counter(sandbox.counts()) for sandbox in self._both), Counter()))

    def faults(self) -> dict[str, int]:
        """Return how often each fault happened."""
        found: Counter[str] = Counter()
        for sandbox in self._both:
            for rule in sandbox.control("GET", "faults"):
                found[rule["fault"]] += rule["used"]
        return dict(found)

    def close(self) -> None:
        """End the processes."""
        for sandbox in self._both:
            sandbox.kill()
