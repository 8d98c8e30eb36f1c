"""Submitting renders to the vendor."""

from __future__ import annotations

from config.settings import Settings
from renderline.bulkhead import Bulkhead
from renderline.catalogue.name_check import NameCheck
from renderline.http import PageCheck
from renderline.ledger import DiskSync
from renderline.retry import RetryPolicy
from renderline.submission.background import BackgroundThreads
from renderline.submission.submitter import Submitter
from workers.composition.shared import Shared
from workers.composition.uploads import file_opener
from workers.composition.webhooks import webhook_urls

_RETRIES = RetryPolicy(attempts=30, base=1.0, cap=60.0)
_DISK_TIMEOUT = 5.0
"""Seconds that a paid call waits for the disk of Redis. Then the submission is retried later."""
_SLOW = 10
"""Usual leases for a call whose answer comes only when the work is done, unless configured otherwise."""
_USER_AGENT = "Renderline/1 (+pages)"
_PAGE_TIMEOUT = 5.0
"""Seconds for the check of one page."""
_WAITING_PER_THREAD = 8
"""How many announced calls may wait for the disk, for each thread that takes messages."""


def submitter(shared: Shared, names: NameCheck) -> Submitter:
    """Return the submitter of renders."""
    settings = shared.settings
    urls = webhook_urls(settings)
    return Submitter(
        ledger=shared.ledger,
        dispatcher=shared.dispatcher,
        accounts=shared.accounts,
        bulkhead=_bulkhead(settings),
        mode=settings.submit,
        lease=settings.lease,
        slow_lease=settings.slow_lease or settings.lease * _SLOW,
        policy=shared.poll_policy,
        durations=shared.durations,
        retries=_RETRIES,
        wait_for_disk=DiskSync(shared.redis, mode=settings.wait_for_disk, timeout=_DISK_TIMEOUT).wait,
        replicas=settings.wait_for_replicas,
        names=names,
        check_page=_page_check(settings),
        files=file_opener(settings),
        unknown_after=settings.unknown_after,
        webhook_url=lambda claim: (
            urls.url(claim.id, attempt=claim.attempt, draft=claim.draft, seconds=claim.deadline) if urls else None
        ),
    )


def _page_check(settings: Settings) -> PageCheck | None:
    """Return what looks at the pages that requests name; None if nothing does."""
    if settings.check_pages == "off":
        return None
    # A claim lasts longer than the check of its page.
    seconds = min(_PAGE_TIMEOUT, settings.lease / 4)
    return PageCheck(user_agent=_USER_AGENT, allow_private=settings.check_pages == "any", seconds=seconds)


def background(settings: Settings) -> BackgroundThreads | None:
    """Return the threads in which announced calls wait for the disk; None if they do not wait."""
    if settings.wait_for_disk == "never" and not settings.wait_for_replicas:
        return None
    return BackgroundThreads(settings.worker_concurrency * _WAITING_PER_THREAD)


def _bulkhead(settings: Settings) -> Bulkhead:
    """Return how many submissions each account may have running. With several accounts, each leaves threads to the
    others.
    """
    threads = settings.worker_concurrency
    if len(settings.accounts) < 2:
        return Bulkhead(each=threads, most=threads)
    return Bulkhead(each=max(1, threads // 2), most=max(1, threads * 3 // 4))
