"""The use cases that tasks call. `workers` composes them once per process; the Celery app carries them."""

from __future__ import annotations

from dataclasses import dataclass

from renderline.acceptance import Acceptor
from renderline.capabilities import WorkerCapabilities
from renderline.catalogue.runner import CatalogueRunner
from renderline.cleanup.forgotten import ForgottenFiles
from renderline.cleanup.old_uploads import OldUploads
from renderline.cleanup.runner import CleanupRunner
from renderline.dispatcher import Dispatcher
from renderline.hooks.delivery import Deliverer
from renderline.ledger import Ledger, ServerClock
from renderline.metrics.worker_metrics import WorkerMetrics
from renderline.operations import Operations
from renderline.polling.poller import Poller
from renderline.submission.background import BackgroundThreads
from renderline.submission.submitter import Submitter
from renderline.sweeper import Sweeper


@dataclass(frozen=True)
class Services:
    """One process's use cases."""

    ledger: Ledger
    dispatcher: Dispatcher
    acceptor: Acceptor
    operations: Operations
    submitter: Submitter
    poller: Poller
    deliverer: Deliverer
    sweeper: Sweeper
    cleanup: CleanupRunner
    clock: ServerClock
    capabilities: WorkerCapabilities
    catalogue: CatalogueRunner
    metrics: WorkerMetrics
    old_uploads: OldUploads | None = None
    """Removes old uploads; None: this process has no storage of them."""
    background: BackgroundThreads | None = None
    """Where announced calls wait for the ledger's disk; None if they do not wait."""
    forgotten_files: ForgottenFiles | None = None
    """Deletes what is left of forgotten renders in the storages."""
    labels: tuple[str, ...] = ()
    """Names of the metadata that is shown with a task, beside the render's name."""
