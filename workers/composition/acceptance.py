"""Accepting requests: for workers, gateway and command line."""

from __future__ import annotations

from collections.abc import Mapping

from config.settings import Settings
from renderline.acceptance import Acceptor
from renderline.capabilities import KnownAccounts
from renderline.catalogue import CatalogueStore
from renderline.dispatcher import Dispatcher
from renderline.hooks import HookKind
from renderline.ledger import Ledger
from workers.composition.catalogue import door_check
from workers.composition.hooks import hook_retries
from workers.composition.tenants import tenants
from workers.composition.uploads import upload_store


def acceptor(
    settings: Settings,
    ledger: Ledger,
    dispatcher: Dispatcher,
    kinds: Mapping[str, HookKind],
    lists: CatalogueStore,
) -> Acceptor:
    """Return the acceptor of requests. It needs no vendor, and no Redis before the first request."""
    return Acceptor(
        ledger=ledger,
        dispatcher=dispatcher,
        accounts=KnownAccounts(ledger, settings.account_names),
        hook_kinds=kinds,
        deadline=settings.render_deadline,
        max_bytes=settings.max_request_bytes,
        tenants=tenants(settings),
        names=door_check(settings, lists),
        uploads=upload_store(settings),
        labels=settings.labels,
        hook_retries=hook_retries(settings),
    )
