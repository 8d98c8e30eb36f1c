"""What the living workers can serve: accounts, their APIs and hook types; and which APIs renders wait for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis

from renderline.ledger.keys import Keys


class Capabilities:
    """The part of the ledger that the capabilities asks. Every method raises `redis.RedisError`."""

    redis: Redis
    keys: Keys
    run: Any

    def announce_capabilities(self, names: Sequence[str]) -> None:
        """Announce what this worker serves, by names such as `account:main`, `api:v2:main` and `hook:http`."""
        self.run("capabilities_set", *names)

    def capabilities(self) -> frozenset[str]:
        """Return what at least one living worker serves."""
        return frozenset(self.run("capabilities"))

    def active_accounts(self) -> set[str]:
        """Return the accounts with renders that are parked or at the vendor."""
        names: Any = self.redis.smembers(self.keys.accounts)
        return {one for one in names if self.redis.exists(self.keys.parked(one), self.keys.due(one))}

    def missing_apis(self) -> set[str]:
        """Return the APIs, such as `v2:main`, that renders wait for since the worker that took them lacked them."""
        return set(self.run("missing_apis"))
