"""The cleanup tasks and the sweep."""

from __future__ import annotations

from renderline.cleanup.forgotten import ForgottenFiles, ForgottenProjects
from renderline.cleanup.old_uploads import OldUploads
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.cleanup.runner import CleanupRunner, CleanupTask
from renderline.cleanup.stored_projects import StoredProjectCleanup
from renderline.dispatcher import Dispatcher
from renderline.hooks.tenant_folders import TenantFolders
from renderline.metrics.worker_metrics import WorkerMetrics
from renderline.reconciliation.gap_check import GapCheck
from renderline.sweeper import Sweeper
from workers.composition.shared import Shared
from workers.composition.uploads import upload_store

_LEASES = 4
"""Leases that a cleanup task may take: it makes a few calls, one after the other."""

_UPLOADS_EVERY = 3600.0
"""Seconds between two lists of all uploads."""


def cleanup_runner(shared: Shared) -> CleanupRunner:
    """Return the runner of cleanup tasks."""
    lease = shared.settings.lease * _LEASES
    tasks: list[CleanupTask] = [
        # First: until an account was looked through, nothing is deleted there.
        GapCheck(shared.ledger, shared.settings.retention),
        OrphanSweep(shared.ledger, lease),
        ForgottenProjects(shared.ledger, lease),
    ]
    if shared.settings.delete_stored_projects:
        tasks.append(StoredProjectCleanup(shared.ledger, lease))
    return CleanupRunner(shared.ledger, shared.accounts, tasks)


def old_uploads(shared: Shared) -> OldUploads | None:
    """Return what removes old uploads; None without a storage of them."""
    settings = shared.settings
    store = upload_store(settings)
    every = min(_UPLOADS_EVERY, settings.upload_retention)
    return OldUploads(shared.ledger, store, settings.upload_retention, every) if store else None


def forgotten_files(shared: Shared) -> ForgottenFiles:
    """Return what deletes the files of forgotten renders."""
    settings = shared.settings
    folders = TenantFolders(settings.storage_url, uploads_url=settings.uploads_folder)
    return ForgottenFiles(shared.ledger, folders, upload_store(settings))


def sweeper(shared: Shared, dispatcher: Dispatcher, metrics: WorkerMetrics) -> Sweeper:
    """Return the sweeper. Its dispatcher raises if it cannot publish."""
    settings = shared.settings
    return Sweeper(
        ledger=shared.ledger,
        limits=shared.limits,
        dispatcher=dispatcher,
        every=settings.sweep_every,
        retention=settings.retention,
        watcher=metrics,
        # A worker that is killed during a sweep delays the next sweep no longer than its renders.
        turn=settings.lease,
    )
