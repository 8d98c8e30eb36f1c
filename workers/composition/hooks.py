"""The hook kinds, and the delivery of hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import Celery

from config.settings import Account, Settings
from renderline.hooks import CeleryHook, DownloadHook, FreshLink, HookFailed, HookKind, HttpHook, load_kinds
from renderline.hooks.concurrency import HookConcurrency
from renderline.hooks.delivery import Deliverer
from renderline.http import host_and_port
from renderline.ledger import FileClaims, HookQueues
from renderline.polling.download_url import DownloadUrlRefresh, NoDownloadUrl
from workers.composition.explanation import hook_retries
from workers.composition.shared import Shared
from workers.composition.tenants import tenants


def hook_kinds(
    app: Celery,
    settings: Settings,
    *,
    fresh_link: FreshLink | None = None,
    claims: FileClaims | None = None,
    queues: HookQueues | None = None,
) -> dict[str, HookKind]:
    """Return the hook kinds that requests may name. A process that delivers hooks gives the rest too."""
    known_tenants = tenants(settings)
    return load_kinds(
        DownloadHook(
            settings.storage_url,
            allow_private=settings.allow_private_downloads or settings.allow_private_hooks,
            vendor_hosts={account.name: _hosts(account) for account in settings.accounts},
            fresh_link=fresh_link,
            claims=claims,
            uploads_url=settings.uploads_folder,
        ),
        HttpHook(known_tenants, allow_private=settings.allow_private_hooks),
        CeleryHook(app.send_task, queues=queues),
    )


def hook_targets(settings: Settings) -> list[str]:
    """Return what this process is set up for, as `HttpHook.missing` names it: workers announce it to each other."""
    found = []
    known = tenants(settings)
    for tenant in map(known.of, known.names):
        found += [f"http:{tenant.name}"] if tenant.hook_secrets else []
        found += [
            f"http:{tenant.name}/{name}" for name, one in tenant.endpoints.items() if one.secrets or tenant.hook_secrets
        ]
    return found


def fresh_link(refresh: DownloadUrlRefresh) -> FreshLink:
    """Return a function that asks the vendor for a new download URL, and fails as a hook does."""

    def ask(record: Mapping[str, Any]) -> str | None:
        try:
            return refresh(record)
        except NoDownloadUrl as error:
            message = f"the link has expired, and the request for another one failed: {error}"
            raise HookFailed(message, retry_after=error.retry_after) from None

    return ask


def deliverer(shared: Shared, kinds: Mapping[str, HookKind]) -> Deliverer:
    """Return the deliverer of hooks."""
    settings = shared.settings
    return Deliverer(
        ledger=shared.ledger,
        dispatcher=shared.dispatcher,
        clock=shared.clock,
        delete_stored=settings.delete_stored_projects,
        kinds=kinds,
        retries=hook_retries(settings),
        lease=settings.lease,
        capabilities=shared.capabilities,
        unknown_after=settings.unknown_after,
        concurrency=HookConcurrency(
            shared.limits,
            share=max(1, settings.worker_concurrency // 2),
            each=settings.hooks_per_host,
            pause=settings.hook_probe,
            alone=not tenants(settings).closed,
        ),
    )


def _hosts(account: Account) -> frozenset[str]:
    """Return where the account's vendor is: the sandbox, for one, serves its videos from its own private address."""
    return frozenset({host_and_port(account.base_url), host_and_port(account.v2_base_url)})
