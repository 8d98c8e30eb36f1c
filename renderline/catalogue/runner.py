"""Reads wanted lists in the background: one thread for each account, so that a vendor that hangs delays nobody else."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

import structlog
from redis import RedisError

from renderline.accounts.circuit_breaker import is_outage
from renderline.accounts.clients import AccountUnavailable
from renderline.catalogue.refresh import Refresher
from renderline.ledger import Outage
from renderline.studio import StudioFault

log = structlog.get_logger(__name__)

_REDIS = Outage("Redis: lists wait for it")

RECENT: Final = 20.0
"""Seconds in which a list is not read twice."""


@dataclass(frozen=True)
class CatalogueRunner:
    """Reads the lists of this worker's accounts that some process wants."""

    refresher: Refresher
    _running: dict[str, bool] = field(default_factory=dict, repr=False)
    """By account whose thread runs: whether it is to look again, since something was wanted after it began."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def start(self) -> None:
        """Start what is wanted; returns at once. Raises `redis.RedisError`."""
        for account in self.refresher.store.with_wanted(list(self.refresher.clients)):
            self.start_account(account)

    def start_account(self, account: str) -> None:
        """Start the thread of an account. One that runs looks again before it ends: it may be past its last look."""
        with self._lock:
            if account in self._running:
                self._running[account] = True
                return
            name = f"catalogue-{account}"
            threading.Thread(target=self._run_until_none, args=(account,), name=name, daemon=True).start()
            self._running[account] = False

    def _run_until_none(self, account: str) -> None:
        again = True
        while again:
            self.run(account)
            with self._lock:
                again = self._running[account]
                if again:
                    self._running[account] = False
                else:
                    del self._running[account]

    def run(self, account: str) -> None:
        """Read the wanted lists of an account now, until none is left."""
        outage = None
        try:
            while name := self.refresher.store.take_wanted(account):
                if outage:
                    # The others would fail too, and each failure counts towards the circuit of the account.
                    self.refresher.store.note_failure(account, name, outage)
                else:
                    outage = self._read(account, name)
            _REDIS.worked(account)
        except (RedisError, OSError) as error:
            _REDIS.failed(account, f"{type(error).__name__}: {error}")
        except Exception:
            log.exception("lists not read", account=account)

    def _read(self, account: str, name: str) -> str | None:
        """Read one list; return why the vendor cannot be reached, if it cannot."""
        store = self.refresher.store
        found = store.read(account, name)
        if (found and found.age(store.clock()) < RECENT) or store.failure(account, name):
            return None
        try:
            self.refresher.refresh(account, name)
        except StudioFault as fault:
            return str(fault) if is_outage(fault) else None
        except AccountUnavailable as error:
            store.note_failure(account, name, str(error))
        return None
