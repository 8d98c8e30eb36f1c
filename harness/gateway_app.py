"""The gateway as a Flask application in this process, for tests of its inside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flask import Flask
from redis import Redis

from harness.recorded_dispatcher import RecordedDispatcher
from renderline.acceptance import Acceptor
from renderline.catalogue import CatalogueStore
from renderline.catalogue.browser import Browser
from renderline.gateway import AllowAll, EventStreams, create_app
from renderline.hooks import HookKind
from renderline.ledger import Ledger, Queries
from renderline.operations import Operations
from renderline.tenants import Tenants


def gateway_app(
    redis: Redis,
    *,
    ledger: Ledger | None = None,
    dispatcher: Any = None,
    hook_kinds: Mapping[str, HookKind] | None = None,
    max_bytes: int = 100_000,
    tenants: Tenants | None = None,
    **options: Any,
) -> Flask:
    """Return the gateway over this Redis, with one account; without `authenticator` it needs no API keys."""
    ledger = ledger or Ledger(redis)
    dispatcher = dispatcher or RecordedDispatcher()
    accounts, tenants = ("default",), tenants or Tenants()
    options.setdefault("authenticator", AllowAll())
    options.setdefault("streams", EventStreams(limit=1))
    return create_app(
        redis=redis,
        ledger=ledger,
        queries=Queries(ledger),
        acceptor=Acceptor(ledger, dispatcher, accounts, hook_kinds or {}, 60.0, max_bytes, tenants),
        operations=Operations(ledger, dispatcher, accounts, tenants=tenants),
        lists=Browser(CatalogueStore(redis, clock=time.time), ledger, tenants),
        max_bytes=max_bytes,
        **options,
    )
