"""The clients of each vendor account, behind its guard."""

from __future__ import annotations

from typing import Any

from redis import Redis

from config.settings import Account, Settings
from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import Guard
from renderline.accounts.rate_limit import RateLimit
from renderline.accounts.token import SharedToken
from renderline.ledger import AccountLimits, ServerClock
from renderline.observer import NOBODY, Observer
from renderline.studio import StudioV2, StudioV3, TokenEndpoint

_TOKEN_TIMEOUTS = {"connect_timeout": 5.0, "read_timeout": 15.0, "total_timeout": 20.0}


def apis(settings: Settings) -> list[str]:
    """Return the APIs for which there are credentials, such as `v2:main`."""
    known = [(one.name, {"v3": one.has_v3, "v2": one.has_v2}) for one in settings.accounts]
    return [f"{api}:{name}" for name, has in known for api, there in has.items() if there]


def clients(
    account: Account,
    settings: Settings,
    *,
    redis: Redis,
    limits: AccountLimits,
    clock: ServerClock,
    observer: Observer = NOBODY,
) -> AccountClients:
    """Return the clients of one account for the APIs that it has credentials for; the observer learns of each call."""
    guard = _guard(account, settings, redis, limits, observer)
    options = _options(settings, guard)
    v3 = v2 = tokens = None
    if account.app_id and account.user_key:
        total = options["total_timeout"]
        token_options = {**options, **{name: min(seconds, total) for name, seconds in _TOKEN_TIMEOUTS.items()}}
        issuer = TokenEndpoint(account.base_url, app_id=account.app_id, user_key=account.user_key, **token_options)
        tokens = SharedToken(
            redis,
            issuer,
            account=account.name,
            # A worker that dies while it requests the token delays the others no longer than its renders.
            lock_seconds=min(30.0, settings.lease),
            clock=clock,
            # v2 calls need no token: they go on while v3 calls are refused.
            back_off=None if account.v2_secret_key else guard.back_off,
        )
        v3 = StudioV3(account.base_url, tokens=tokens, **options)
    if account.v2_secret_key:
        v2 = StudioV2(account.v2_base_url, secret_key=account.v2_secret_key, **options)
    return AccountClients(account.name, v3, v2, guard=guard, token=tokens)


def _guard(account: Account, settings: Settings, redis: Redis, limits: AccountLimits, observer: Observer) -> Guard:
    per_second = account.max_requests_per_second
    return Guard(
        account.name,
        limits,
        CircuitBreaker(limits, account.name, pause=settings.outage_probe),
        RateLimit(redis, account.name, per_second) if per_second else None,
        observer,
    )


def _options(settings: Settings, guard: Guard) -> dict[str, Any]:
    # No call may outlive the lease under which it is made.
    total = settings.lease * 0.8
    return {
        "guard": guard,
        "longest_wait": settings.max_retry_after,
        "connect_timeout": min(5.0, total / 2),
        "read_timeout": min(20.0, total),
        "total_timeout": total,
    }
