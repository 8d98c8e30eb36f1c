"""The capabilities of workers (accounts, APIs, kinds of hooks), and the work that waits for one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from renderline.ledger.clock import epoch_seconds
from renderline.ledger.steps import Steps

ALIVE_FOR = 60.0
"""Seconds without an announcement after which a worker counts as gone, as in `prelude.lua`."""


class CapabilitySteps(Steps):
    """The part of the ledger for capabilities."""

    def announce_capabilities(self, names: Sequence[str]) -> None:
        """Announce this worker's capabilities, such as `account:main`, `api:v2:main` and `hook:http`."""
        self.run("capabilities_set", *names)

    def capabilities(self) -> frozenset[str]:
        """Return the capabilities of all live workers."""
        return frozenset(self.run("capabilities"))

    def worker_versions(self) -> dict[str, str]:
        """Return, by the name of each live worker that announces it, the version of its program."""
        since = epoch_seconds(self.redis.time()) - ALIVE_FOR
        names: Any = self.redis.zrangebyscore(self.keys.capabilities, f"({since}", "+inf")
        # By time: of a worker that was replaced under the same name, the newest version stays.
        found = (str(name).split(":", 2) for name in names if str(name).startswith("worker:"))
        return {name: version for _, version, name in found}

    def active_accounts(self) -> set[str]:
        """Return the accounts with renders that are parked or at the vendor."""
        names: Any = self.redis.smembers(self.keys.accounts)
        return {one for one in names if self.redis.exists(self.keys.parked(one), self.keys.due(one))}

    def missing_apis(self) -> set[str]:
        """Return the APIs, such as `v2:main`, that parked renders need and that some worker lacked."""
        return set(self.run("missing_apis"))
