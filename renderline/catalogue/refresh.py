"""Reads a list from the vendor, one process at a time. A failure keeps the list that is there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from renderline.accounts.clients import AccountClients
from renderline.catalogue.pick_lists import known
from renderline.catalogue.snapshot import Snapshot
from renderline.catalogue.store import CatalogueStore
from renderline.studio import StudioFault

log = structlog.get_logger(__name__)

_POLL: Final = 0.05


class ListUnavailable(Exception):
    """There is no such list yet, and it could not be read in time; the message says why."""


@dataclass(frozen=True)
class Refresher:
    """Reads lists with the `clients` of this process. Other accounts are left to the workers that know them."""

    store: CatalogueStore
    clients: Mapping[str, AccountClients]

    def current(self, account: str, name: str, *, anew: bool = False, patience: float = 10.0) -> Snapshot:
        """Return a list, read anew if it is not fresh or that is asked for (`anew`).

        If that fails, the old list is returned with its `error`. Without one, raises the `StudioFault`, or
        `ListUnavailable` if another process reads it and needs longer than `patience` seconds.
        """
        found = self.store.read(account, name)
        if found and self.store.is_fresh(name, found) and not anew:
            return found
        if account not in self.clients:
            self.store.want(account, [name])
        else:
            try:
                read = self.refresh(account, name, since=found.at if found else float("-inf"))
            except StudioFault:
                old = self.store.read(account, name)
                if old is None:
                    raise
                return old
            if read:
                return self._read(account, name)
        return self.await_newer(account, name, found, patience=patience)

    def refresh(self, account: str, name: str, *, since: float | None = None) -> bool:
        """Read a list from the vendor; False if another process does, or has done so after the time `since`.

        Raises a `StudioFault`, which is noted.
        """
        with self.store.lease(account, name) as held:
            if not held:
                return False
            if since is not None and (newer := self.store.read(account, name)) and newer.at > since:
                # Another process had read it before the lease was free.
                return False
            at = self.store.clock()
            try:
                rows = known(name).rows(self.clients[account].use_v3())
            except StudioFault as fault:
                log.warning("list not read", account=account, list=name, fault=str(fault))
                self.store.note_failure(account, name, str(fault))
                raise
            self.store.write(account, name, rows, at=at)
            log.info("list read", account=account, list=name, rows=len(rows))
            return True

    def await_newer(self, account: str, name: str, old: Snapshot | None, *, patience: float) -> Snapshot:
        """Return a list newer than `old` once another process or thread has read it, else the old one.

        Raises `ListUnavailable` if there is none after `patience` seconds, or once the vendor has failed.
        """
        give_up = time.monotonic() + patience
        while True:
            found = self.store.read(account, name)
            if found and (old is None or found.at > old.at):
                return found
            failure = self.store.failure(account, name)
            if failure or time.monotonic() >= give_up:
                if found:
                    return found
                raise ListUnavailable(failure or "no worker has read it yet; try again in a moment")
            time.sleep(_POLL)

    def _read(self, account: str, name: str) -> Snapshot:
        found = self.store.read(account, name)
        if found is None:
            raise ListUnavailable("it was deleted while it was read; try again")
        return found
