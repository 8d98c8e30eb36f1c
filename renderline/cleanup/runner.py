"""Runs cleanup tasks: vendor calls that no render waits for, such as deleting orphan drafts.

Each account has a thread of its own, apart from the sweep's: a vendor that hangs delays nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from redis import RedisError

from renderline.accounts.clients import AccountClients
from renderline.ledger import Ledger, Outage
from renderline.studio import StudioFault

log = structlog.get_logger(__name__)

_REDIS = Outage("Redis: cleanup waits for it")


class CleanupTask(Protocol):
    """One kind of cleanup."""

    def run(self, clients: AccountClients) -> bool:
        """Do a batch for an account; returns whether there may be more. Raises a `StudioFault`."""


@dataclass(frozen=True)
class CleanupRunner:
    """Starts a thread for each account of this process that has cleanup due and no thread yet."""

    ledger: Ledger
    accounts: Mapping[str, AccountClients]
    tasks: Sequence[CleanupTask]
    _running: dict[str, threading.Thread] = field(default_factory=dict, repr=False)

    def start(self) -> None:
        """Start what is due; returns at once. Unfinished tasks are due again after their lease."""
        for account in self.ledger.due_cleanup(list(self.accounts)):
            running = self._running.get(account)
            if running is None or not running.is_alive():
                thread = threading.Thread(target=self.run, args=(account,), name=f"cleanup-{account}", daemon=True)
                self._running[account] = thread
                thread.start()

    def run(self, account: str) -> None:
        """Do what is due for an account now, until nothing is left or the vendor fails."""
        clients = self.accounts[account]
        for task in self.tasks:
            try:
                while task.run(clients):
                    pass
                _REDIS.worked(f"{account} {type(task).__name__}")
            except StudioFault as fault:
                log.warning("cleanup put off", account=account, task=type(task).__name__, fault=str(fault))
            except (RedisError, OSError) as error:
                _REDIS.failed(f"{account} {type(task).__name__}", f"{type(error).__name__}: {error}")
            except Exception:
                log.exception("cleanup failed, will be retried", account=account, task=type(task).__name__)
