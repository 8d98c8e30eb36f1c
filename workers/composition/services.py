"""All use cases of one process."""

from __future__ import annotations

from celery import Celery

from config.release import release
from config.settings import Settings
from renderline.capabilities import KnownAccounts, WorkerCapabilities
from renderline.dispatcher import Dispatcher, raise_unpublished
from renderline.ledger import AccountLimits, FileClaims, HookQueues, Ledger, ServerClock
from renderline.metrics.worker_metrics import WorkerMetrics
from renderline.operations import Operations
from renderline.polling.download_url import DownloadUrlRefresh
from renderline.polling.durations import Durations
from tasks.publisher import CeleryPublisher
from tasks.services import Services
from workers.composition.acceptance import acceptor
from workers.composition.accounts import apis, clients
from workers.composition.catalogue import catalogue_runner, submission_check
from workers.composition.cleanup import cleanup_runner, forgotten_files, old_uploads, sweeper
from workers.composition.connection import connect
from workers.composition.hooks import deliverer, fresh_link, hook_kinds, hook_targets
from workers.composition.observers import worker_observers
from workers.composition.polling import poll_policy, poller
from workers.composition.shared import Shared
from workers.composition.submission import background, submitter
from workers.composition.tenants import tenants


def compose(app: Celery, settings: Settings) -> Services:
    """Return the use cases of one process."""
    redis = connect(settings)
    metrics = WorkerMetrics(accounts=settings.account_names)
    clock = ServerClock(redis)
    observer = worker_observers(Ledger(redis), clock, metrics)
    ledger = Ledger(redis, grace=settings.lease, observer=observer)
    own_apis = apis(settings)
    limits = AccountLimits(ledger, known=[*settings.account_names, *own_apis], unknown_after=settings.unknown_after)
    publisher = CeleryPublisher(app)
    accounts = {
        account.name: clients(account, settings, redis=redis, limits=limits, clock=clock, observer=observer)
        for account in settings.accounts
    }
    catalogue = catalogue_runner(settings, redis, clock, accounts)
    renewed = fresh_link(DownloadUrlRefresh(ledger, accounts))
    queues = HookQueues(ledger, limit=settings.hook_queue_limit)
    kinds = hook_kinds(app, settings, fresh_link=renewed, claims=FileClaims(ledger), queues=queues)
    shared = Shared(
        settings=settings,
        redis=redis,
        ledger=ledger,
        limits=limits,
        clock=clock,
        dispatcher=Dispatcher(publisher, ledger, limits),
        accounts=accounts,
        capabilities=WorkerCapabilities(
            ledger, settings.account_names, [*sorted(kinds), *hook_targets(settings)], own_apis, release()
        ),
        durations=Durations(ledger),
        poll_policy=poll_policy(settings),
    )
    return Services(
        ledger=ledger,
        clock=clock,
        dispatcher=shared.dispatcher,
        capabilities=shared.capabilities,
        acceptor=acceptor(settings, ledger, shared.dispatcher, kinds, catalogue.refresher.store),
        operations=Operations(
            ledger,
            shared.dispatcher,
            KnownAccounts(ledger, settings.account_names),
            accounts,
            tenants(settings),
        ),
        submitter=submitter(shared, submission_check(settings, catalogue)),
        background=background(settings),
        poller=poller(shared),
        deliverer=deliverer(shared, kinds),
        # No later sweep would send what this one cannot publish, so it stops there.
        sweeper=sweeper(shared, Dispatcher(publisher, ledger, limits, on_unpublished=raise_unpublished), metrics),
        cleanup=cleanup_runner(shared),
        catalogue=catalogue,
        metrics=metrics,
        old_uploads=old_uploads(shared),
        forgotten_files=forgotten_files(shared),
        labels=settings.labels,
    )
