"""The cached lists of the vendor, and the check of what requests name."""

from __future__ import annotations

from collections.abc import Mapping

from redis import Redis

from config.settings import Settings
from renderline.accounts.clients import AccountClients
from renderline.catalogue import CatalogueStore, Refresher
from renderline.catalogue.name_check import NameCheck
from renderline.catalogue.runner import CatalogueRunner
from renderline.ledger import ServerClock

_SHARE_OF_LEASE = 0.1
_LONGEST_WAIT = 3.0
"""Seconds that a submission waits for a list at most. Its claim is a lease, which the calls need."""


def catalogue_store(settings: Settings, redis: Redis, clock: ServerClock) -> CatalogueStore:
    """Return the lists in Redis."""
    return CatalogueStore(redis, clock=clock, lifetime=settings.catalogue_ttl)


def catalogue_runner(
    settings: Settings, redis: Redis, clock: ServerClock, accounts: Mapping[str, AccountClients]
) -> CatalogueRunner:
    """Return what reads the lists of this process's accounts."""
    return CatalogueRunner(Refresher(catalogue_store(settings, redis, clock), accounts))


def door_check(settings: Settings, store: CatalogueStore) -> NameCheck:
    """Return the check of a door, which asks no vendor."""
    return NameCheck(store, settings.unknown_names)


def submission_check(settings: Settings, runner: CatalogueRunner) -> NameCheck:
    """Return the check before a submission."""
    patience = min(_LONGEST_WAIT, settings.lease * _SHARE_OF_LEASE)
    return NameCheck(runner.refresher.store, settings.unknown_names, runner, patience)
