"""The tenants of an installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.settings import Settings
from renderline.tenants import DEFAULT, Endpoint, Tenant, Tenants


def tenants(settings: Settings) -> Tenants:
    """Return the tenants that the settings list.

    What the tables of the tenant `default` leave out is in RENDERLINE_HOOK_SECRET and RENDERLINE_CELERY_HOOKS.
    """
    variables: dict[str, Any] = {"hook_secrets": settings.hook_secrets or (), "celery_hooks": settings.celery_hooks}
    listed = [_tenant({**variables, **table} if table["name"] == DEFAULT else table) for table in settings.tenants]
    return Tenants(listed, broker=settings.broker_tenants, unlisted=Tenant(name=DEFAULT, **variables))


def _tenant(table: Mapping[str, Any]) -> Tenant:
    return Tenant(**{**table, "endpoints": {name: Endpoint(**one) for name, one in table["endpoints"].items()}})
