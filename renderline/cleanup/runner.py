"""CleanupRunner: vendor calls that no render waits for (orphan drafts, projects no longer needed), account by account.

Each account's run in a thread of its own, and none in the sweep's: a vendor that hangs delays nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from redis import RedisError

from renderline.accounts.clients import AccountClients
from renderline.ledger import Ledger
from renderline.studio import StudioFault

log = structlog.get_logger(__name__)


class CleanupTask(Protocol):
    """One kind of errand."""

    def run(self, clients: AccountClients) -> bool:
        """Do a batch for an account; returns whether there may be more. Raises a `StudioFault`."""


@dataclass(frozen=True)
class CleanupRunner:
    """Starts a thread for each account of this process that has something to be done and none running."""

    ledger: Ledger
    accounts: Mapping[str, AccountClients]
    kinds: Sequence[CleanupTask]
    _running: dict[str, threading.Thread] = field(default_factory=dict, repr=False)

    def start(self) -> None:
        """Have done what is due; returns at once. What a thread does not settle is due again after its lease."""
        for account in self.ledger.due_cleanup(list(self.accounts)):
            running = self._running.get(account)
            if running is None or not running.is_alive():
                thread = threading.Thread(target=self.run, args=(account,), name=f"errands-{account}", daemon=True)
                self._running[account] = thread
                thread.start()

    def run(self, account: str) -> None:
        """Do what is due for an account now, until nothing is left or the vendor fails."""
        clients = self.accounts[account]
        for kind in self.kinds:
            try:
                while kind.run(clients):
                    pass
            except StudioFault as fault:
                log.warning("errand put off", account=account, errand=type(kind).__name__, fault=str(fault))
            except (RedisError, OSError) as error:
                log.warning("errand waits for Redis", account=account, why=f"{type(error).__name__}: {error}")
            except Exception:
                log.exception("errand failed, goes on later", account=account, errand=type(kind).__name__)
