"""The tenants of an installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.settings import Settings
from renderline.tenants import Endpoint, Tenant, Tenants


def tenants(settings: Settings) -> Tenants:
    """Return the tenants that the settings list."""
    return Tenants((_tenant(table) for table in settings.tenants), broker=settings.broker_tenants)


def _tenant(table: Mapping[str, Any]) -> Tenant:
    return Tenant(**{**table, "endpoints": {name: Endpoint(**one) for name, one in table["endpoints"].items()}})
