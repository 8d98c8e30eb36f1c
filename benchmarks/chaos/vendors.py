"""The vendor of a run: a sandbox for most accounts, and one of its own for the account that is out for a time."""

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
    """Both sandboxes, counted up as one."""

    def __init__(self, directory: Path, plan: Plan) -> None:
        options = ["--render-seconds", f"{plan.render_seconds:g}", "--spread", f"{plan.render_spread:g}"]
        self._both: list[SandboxProcess] = []
        for number, name in enumerate(("sandbox", "sandbox-ill")):
            log = directory / f"{name}.log"
            self._both.append(SandboxProcess(log, *options, "--seed", str(plan.seed * 2 + number)))

    @property
    def url(self) -> str:
        """Return where the vendor of most accounts is."""
        return self._both[0].url

    @property
    def ill_url(self) -> str:
        """Return where the vendor of the account `ILL` is."""
        return self._both[1].url

    def put_in_force(self, plan: Plan, *, paid: str) -> None:
        """Have calls go wrong from now on."""
        for sandbox in self._both:
            for rule in plan.vendor_faults(paid=paid):
                sandbox.control("POST", "faults", **rule)

    def revoke_tokens(self) -> None:
        """Refuse every token that was issued so far."""
        for sandbox in self._both:
            sandbox.control("POST", "revoke-tokens")

    def outage(self, *, on: bool, hangs: bool = False) -> None:
        """Have the one account's vendor process no call, or serve again."""
        self._both[1].control("POST", "outage", on=on, hangs=hangs)

    def projects(self) -> list[dict[str, Any]]:
        """Return every project that was ever created."""
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
