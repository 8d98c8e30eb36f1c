"""The composition root: builds one process's use cases from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import Celery
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from config.settings import Account, Settings
from renderline.acceptance import Acceptor
from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import Guard
from renderline.accounts.rate_limit import RateLimit
from renderline.accounts.token import SharedToken
from renderline.bulkhead import Bulkhead
from renderline.capabilities import KnownAccounts, WorkerCapabilities
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.cleanup.runner import CleanupRunner, CleanupTask
from renderline.cleanup.stored_projects import StoredProjectCleanup
from renderline.dispatcher import Dispatcher, raise_unpublished
from renderline.hooks import CeleryHook, DownloadHook, FreshLink, HookFailed, HookKind, HttpHook, load_kinds
from renderline.hooks.concurrency import HookConcurrency
from renderline.hooks.delivery import Deliverer
from renderline.hooks.retry import HookRetryPolicy
from renderline.ledger import AccountLimits, DiskSync, Ledger, ServerClock
from renderline.ledger.failover import connection_class
from renderline.operations import Operations
from renderline.polling.confirmation import Confirmation
from renderline.polling.download_url import DownloadUrlRefresh, NoDownloadUrl
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.poller import Poller
from renderline.polling.project_list import ProjectList
from renderline.retry import RetryPolicy
from renderline.studio import StudioV2, StudioV3, TokenEndpoint
from renderline.submission.background import BackgroundThreads
from renderline.submission.submitter import Submitter
from renderline.sweeper import Sweeper
from renderline.webhook_urls import WebhookUrls
from tasks.publisher import CeleryPublisher
from tasks.services import Services

_TOKEN_TIMEOUTS = {"connect_timeout": 5.0, "read_timeout": 15.0, "total_timeout": 20.0}
_SUBMIT_RETRIES = RetryPolicy(attempts=30, base=1.0, cap=60.0)
_SLOWEST_DISK = 5.0
"""Seconds for which a paid call waits for the disk of Redis; after that it is handed back, and tried again later."""
_WAITING = 8
"""Announced calls that wait for the disk, for each thread that takes messages."""
_STAY = 3.0
"""Seconds for which a poll message does the rounds of its account before it goes back to the queue."""
_GATHER = 0.05
"""Share of the least interval for which a round of looks waits for more: lag that nobody notices, for fewer rounds."""
_ERRAND = 4
"""Leases that an errand may take: a few calls, one after the other."""


def connect(settings: Settings) -> Redis:
    """Return the process's Redis client: short timeouts, and a few quick retries over a broken connection."""
    return Redis.from_url(
        settings.redis_url,
        connection_class=connection_class(settings.redis_url),
        decode_responses=True,
        # A record that somebody else wrote bytes into is to be found broken, not to break the connection's answers.
        encoding_errors="replace",
        socket_timeout=10,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=15,
        client_name="renderline",
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=3),
    )


def compose(app: Celery, settings: Settings) -> Services:
    """Return the use cases of one process."""
    redis = connect(settings)
    ledger = Ledger(redis, grace=settings.lease)
    apis = _apis(settings)
    flow = AccountLimits(ledger, known=[*settings.account_names, *apis], unknown_after=settings.unknown_after)
    publisher = CeleryPublisher(app)
    dispatcher = Dispatcher(publisher, ledger, flow)
    clock = ServerClock(redis)
    accounts = {account.name: _clients(redis, flow, clock, account, settings) for account in settings.accounts}
    kinds = hook_kinds(app, settings, fresh_link=_fresh_link(DownloadUrlRefresh(ledger, accounts)))
    capabilities = WorkerCapabilities(ledger, settings.account_names, sorted(kinds), apis)
    durations = Durations(ledger)
    policy = PollPolicy(
        first_interval=settings.poll_min * 3,
        min_interval=settings.poll_min,
        max_interval=settings.poll_max,
        fallback_interval=fallback_interval(settings),
    )
    callbacks = signed_callbacks(settings)
    return Services(
        background=(
            None if settings.wait_for_disk == "never" else BackgroundThreads(settings.worker_concurrency * _WAITING)
        ),
        ledger=ledger,
        dispatcher=dispatcher,
        acceptor=acceptor(settings, ledger, dispatcher, kinds),
        operations=Operations(ledger, dispatcher, KnownAccounts(ledger, settings.account_names), accounts),
        submitter=Submitter(
            ledger=ledger,
            dispatcher=dispatcher,
            accounts=accounts,
            bulkhead=_bulkhead(settings),
            mode=settings.submit,
            lease=settings.lease,
            policy=policy,
            durations=durations,
            retries=_SUBMIT_RETRIES,
            wait_for_disk=DiskSync(redis, mode=settings.wait_for_disk, timeout=_SLOWEST_DISK).wait,
            unknown_after=settings.unknown_after,
            webhook_url=lambda claim: (
                callbacks.url(claim.id, attempt=claim.attempt, draft=claim.draft, seconds=claim.deadline)
                if callbacks
                else None
            ),
        ),
        poller=Poller(
            ledger=ledger,
            dispatcher=dispatcher,
            durations=durations,
            accounts=accounts,
            policy=policy,
            lease=settings.lease,
            stay=_STAY,
            gather=settings.poll_min * _GATHER,
            project_list=ProjectList(policy) if settings.poll_strategy == "list" else None,
            confirmation=Confirmation(
                ledger,
                policy,
                window=settings.evidence_window,
                lease=settings.lease,
                resubmit_after=settings.resubmit_unconfirmed,
            ),
            capabilities=capabilities,
        ),
        deliverer=Deliverer(
            ledger=ledger,
            dispatcher=dispatcher,
            clock=clock,
            delete_stored=settings.delete_stored_projects,
            kinds=kinds,
            retries=HookRetryPolicy(settings.hook_retry_for, settings.hook_attempts),
            lease=settings.lease,
            capabilities=capabilities,
            unknown_after=settings.unknown_after,
            concurrency=HookConcurrency(
                flow, share=max(1, settings.worker_concurrency // 2), each=settings.hooks_per_host
            ),
        ),
        sweeper=Sweeper(
            ledger=ledger,
            flow=flow,
            # Nobody would send what the sweep could not publish, so it stops there.
            dispatcher=Dispatcher(publisher, ledger, flow, on_unpublished=raise_unpublished),
            every=settings.sweep_every,
            retention=settings.retention,
            # A worker killed in the midst of a sweep holds up the next one no longer than its renders.
            turn=settings.lease,
        ),
        clock=clock,
        errands=CleanupRunner(ledger, accounts, _errands(ledger, settings)),
        capabilities=capabilities,
    )


def _errands(ledger: Ledger, settings: Settings) -> list[CleanupTask]:
    lease = settings.lease * _ERRAND
    return [
        OrphanSweep(ledger, lease),
        *([StoredProjectCleanup(ledger, lease)] if settings.delete_stored_projects else []),
    ]


def hook_kinds(app: Celery, settings: Settings, *, fresh_link: FreshLink | None = None) -> dict[str, HookKind]:
    """Return the kinds of hooks that requests may name; who delivers them gives `fresh_link`."""
    return load_kinds(
        DownloadHook(
            settings.storage_url,
            allow_private=settings.allow_private_hooks or _emulated(settings),
            fresh_link=fresh_link,
        ),
        HttpHook(settings.hook_secret, allow_private=settings.allow_private_hooks),
        CeleryHook(app.send_task),
    )


def _fresh_link(links: DownloadUrlRefresh) -> FreshLink:
    """Return what asks the vendor for a link, failing as a hook does."""

    def ask(record: Mapping[str, Any]) -> str | None:
        try:
            return links(record)
        except NoDownloadUrl as error:
            message = f"the link has expired, and the vendor could not be asked for another: {error}"
            raise HookFailed(message, retry_after=error.retry_after) from None

    return ask


def acceptor(settings: Settings, ledger: Ledger, dispatcher: Dispatcher, kinds: Mapping[str, HookKind]) -> Acceptor:
    """Return what accepts requests; it needs no vendor, and no Redis before the first request."""
    return Acceptor(
        ledger=ledger,
        dispatcher=dispatcher,
        accounts=KnownAccounts(ledger, settings.account_names),
        hook_kinds=kinds,
        deadline=settings.render_deadline,
        max_bytes=settings.max_request_bytes,
    )


def signed_callbacks(settings: Settings) -> WebhookUrls | None:
    """Return what signs and verifies the URLs that the vendor calls; None where it cannot reach the gateway."""
    if not settings.public_url or not settings.secret_key:
        return None
    return WebhookUrls(settings.public_url, settings.secret_key)


def fallback_interval(settings: Settings) -> float | None:
    """Return the seconds between two polls of a render while webhooks arrive; None where none are requested."""
    return max(settings.webhook_poll, settings.poll_min) if settings.public_url else None


def _emulated(settings: Settings) -> bool:
    """Tell whether a vendor address is without TLS: the sandbox, which serves its videos from a private address."""
    return any(
        url.startswith("http://") for account in settings.accounts for url in (account.base_url, account.v2_base_url)
    )


def _bulkhead(settings: Settings) -> Bulkhead:
    """Return how many submissions each account may have under way: one of several leaves threads to the others."""
    threads = settings.worker_concurrency
    if len(settings.accounts) < 2:
        return Bulkhead(each=threads, most=threads)
    return Bulkhead(each=max(1, threads // 2), most=max(1, threads * 3 // 4))


def _apis(settings: Settings) -> list[str]:
    """Return the APIs for which there are credentials, such as `v2:main`."""
    has = [(one.name, {"v3": one.has_v3, "v2": one.has_v2}) for one in settings.accounts]
    return [f"{api}:{name}" for name, apis in has for api, there in apis.items() if there]


def _clients(
    redis: Redis, flow: AccountLimits, clock: ServerClock, account: Account, settings: Settings
) -> AccountClients:
    # No call may outlive the lease under which it is made.
    total = settings.lease * 0.8
    per_second = account.max_requests_per_second
    guard = Guard(
        account.name,
        flow,
        CircuitBreaker(flow, account.name, pause=settings.outage_probe),
        RateLimit(redis, account.name, per_second) if per_second else None,
    )
    options: dict[str, Any] = {
        "guard": guard,
        "longest_wait": settings.max_retry_after,
        "connect_timeout": min(5.0, total / 2),
        "read_timeout": min(20.0, total),
        "total_timeout": total,
    }
    v3 = v2 = tokens = None
    if account.app_id and account.user_key:
        token_options = {**options, **{name: min(seconds, total) for name, seconds in _TOKEN_TIMEOUTS.items()}}
        issuer = TokenEndpoint(account.base_url, app_id=account.app_id, user_key=account.user_key, **token_options)
        # A worker that dies while it asks for the token holds up the others no longer than its renders.
        tokens = SharedToken(
            redis,
            issuer,
            account=account.name,
            lock_seconds=min(30.0, settings.lease),
            clock=clock,
            # Calls of v2 need no token: they do not stop while those of v3 are refused.
            back_off=None if account.v2_secret_key else guard.back_off,
        )
        v3 = StudioV3(account.base_url, tokens=tokens, **options)
    if account.v2_secret_key:
        v2 = StudioV2(account.v2_base_url, secret_key=account.v2_secret_key, **options)
    return AccountClients(account.name, v3, v2, guard=guard, token=tokens)
