"""Who knows what: workers tell which accounts and kinds of hooks they serve, so that others leave those to them.

While workers are replaced one after the other, old ones meet accounts and hooks that only new ones know, and new ones
those that only old ones know.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from renderline.ledger import Ledger

log = structlog.get_logger(__name__)

ANNOUNCE_EVERY = 15.0
"""Seconds. A worker that has not said so for a minute is taken for gone."""
_FRESH = 2.0


def account(name: str) -> str:
    """Return how an account is called among what is served."""
    return f"account:{name}"


def hook(kind: str) -> str:
    """Return how a kind of hooks is called among what is served."""
    return f"hook:{kind}"


def api(name: str) -> str:
    """Return how an API of an account, such as `v2:main`, is called among what is served."""
    return f"api:{name}"


@dataclass(frozen=True)
class WorkerCapabilities:
    """What this process serves, and what others do. Raises `redis.RedisError`.

    `apis` are those of its accounts for which it has the credentials, such as `v2:main`.
    """

    ledger: Ledger
    accounts: Sequence[str]
    hook_kinds: Sequence[str]
    apis: Sequence[str] = ()
    _told: set[str] = field(default_factory=set, repr=False)

    def announce(self) -> None:
        """Say what this worker serves, and in the log which accounts and APIs with work it does not; now and then."""
        self.ledger.serve([*map(account, self.accounts), *map(api, self.apis), *map(hook, self.hook_kinds)])
        for stranger in sorted(self.ledger.working().difference(self.accounts)):
            self.elsewhere(account(stranger))
        for lacking in sorted(self.ledger.wanting().difference(self.apis)):
            self.elsewhere(api(lacking))

    def elsewhere(self, name: str) -> bool:
        """Return whether some worker that lives serves this; says once in the log that this one does not."""
        found = name in self.ledger.served()
        if name not in self._told:
            self._told.add(name)
            where = "left to the workers that know it" if found else "no worker that lives knows it"
            log.warning("not known here", what=name, so=where)
        return found


class KnownAccounts(Collection[str]):
    """The accounts that a request may name: those of this process's settings, and those that some worker serves."""

    def __init__(self, ledger: Ledger, own: Sequence[str]) -> None:
        self._ledger, self._own = ledger, frozenset(own)
        self._lock = threading.Lock()
        self._others: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._own | self._read())

    def __len__(self) -> int:
        return len(self._own | self._read())

    def _read(self) -> frozenset[str]:
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH:
                prefix = account("")
                served = self._ledger.served()
                self._others = frozenset(one.removeprefix(prefix) for one in served if one.startswith(prefix))
                self._read_at = time.monotonic()
            return self._others
