"""The capabilities of workers: each announces its accounts, APIs, hook types and queues, and leaves the rest to others.

In a rolling restart old workers meet accounts and hook types that only new workers know, and vice versa.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from renderline.contract import QUEUES
from renderline.ledger import Ledger
from renderline.ledger.schema import known_versions

log = structlog.get_logger(__name__)

ANNOUNCE_EVERY = 15.0
"""Seconds between announcements. A worker without one for a minute counts as gone."""
_CACHED_FOR = 2.0


def account(name: str) -> str:
    """Return the name of an account among the capabilities."""
    return f"account:{name}"


def hook(kind: str) -> str:
    """Return the name of a hook type among the capabilities."""
    return f"hook:{kind}"


def queue(name: str) -> str:
    """Return the name of a consumed queue among the capabilities."""
    return f"queue:{name}"


def api(name: str) -> str:
    """Return the name of an account's API, such as `v2:main`, among the capabilities."""
    return f"api:{name}"


def schema(version: str) -> str:
    """Return the name of a version of records, such as `2.1`, among the capabilities."""
    return f"schema:{version}"


def worker(version: str, name: str) -> str:
    """Return the name of a worker process and its version among the capabilities."""
    return f"worker:{version}:{name}"


def unconsumed_queues(served: Collection[str]) -> tuple[str, ...]:
    """Return the queues of which no live worker takes messages; `served` are the capabilities of all live workers."""
    found = tuple(name for name in QUEUES if queue(name) not in served)
    # Workers of earlier versions announce no queues.
    return () if len(found) == len(QUEUES) and served else found


@dataclass(frozen=True)
class WorkerCapabilities:
    """This worker's capabilities, and those of others. Raises `redis.RedisError`.

    `apis` are the accounts' APIs with credentials, such as `v2:main`.
    """

    ledger: Ledger
    accounts: Sequence[str]
    hook_kinds: Sequence[str]
    apis: Sequence[str] = ()
    version: str = ""
    """The version of this program; empty: it is not announced."""
    _logged: set[str] = field(default_factory=set, repr=False)

    def announce(self, consuming: Sequence[str] = (), *, name: str = "") -> None:
        """Announce this worker's capabilities, and log the accounts and APIs that have work but are missing here.

        `consuming` are the queues from which it takes messages at present, `name` is that of the process.
        """
        self.ledger.announce_capabilities(
            [
                *map(account, self.accounts),
                *map(api, self.apis),
                *map(hook, self.hook_kinds),
                *map(queue, consuming),
                *map(schema, known_versions()),
                *([worker(self.version, name)] if self.version and name else []),
            ]
        )
        for unknown in sorted(self.ledger.active_accounts().difference(self.accounts)):
            self.elsewhere(account(unknown))
        for missing in sorted(self.ledger.missing_apis().difference(self.apis)):
            self.elsewhere(api(missing))

    def elsewhere(self, name: str) -> bool:
        """Return whether a live worker has this capability; logs once that this worker lacks it."""
        found = name in self.ledger.capabilities()
        if name not in self._logged:
            self._logged.add(name)
            where = "left to the workers that know it" if found else "no live worker knows it"
            log.warning("not known here", what=name, so=where)
        return found


class KnownAccounts(Collection[str]):
    """The accounts that a request may name: those in this process' settings, and those of live workers."""

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
            if time.monotonic() - self._read_at > _CACHED_FOR:
                prefix = account("")
                served = self._ledger.capabilities()
                self._others = frozenset(one.removeprefix(prefix) for one in served if one.startswith(prefix))
                self._read_at = time.monotonic()
            return self._others
