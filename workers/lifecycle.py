"""The life of a worker, from start to end, by Celery's signals."""

from __future__ import annotations

import gc
import os
from typing import Any

import structlog
from celery import signals

from config import logging
from renderline import contract
from renderline.metrics.exporter import Exporter
from workers import shutdown, startup
from workers.application import Renderline
from workers.housekeeping import Housekeeper
from workers.liveness import Heartbeat, notify

log = structlog.get_logger(__name__)


class WorkerLifecycle:
    """Handles the signals of the one worker of this process."""

    def __init__(self, app: Renderline) -> None:
        self._app = app
        self._housekeeper: Housekeeper | None = None
        self._heartbeat: Heartbeat | None = None

    def connect(self) -> None:
        """Subscribe to the signals of this process."""
        for signal, handler in (
            (signals.celeryd_init, self._check),
            (signals.setup_logging, self._set_up_logging),
            (signals.celeryd_after_setup, self._warn_of_repairs),
            (signals.celeryd_after_setup, self._warn_of_settings),
            (signals.worker_ready, self._start_housekeeping),
            (signals.worker_ready, self._serve_metrics),
            (signals.worker_ready, self._share_threads),
            (signals.worker_ready, self._freeze_imports),
            (signals.worker_ready, self._unify_signals),
            (signals.worker_shutting_down, self._stop),
        ):
            signal.connect(handler, weak=False)

    def _check(self, **_: Any) -> None:
        startup.check_or_exit(self._app)

    def _set_up_logging(self, **_: Any) -> None:
        """Log as configured, secrets masked, instead of Celery's own set-up."""
        settings = self._app.settings
        logging.configure(level=settings.log_level, fmt=settings.log_format, secrets=settings.secrets())

    def _warn_of_repairs(self, **_: Any) -> None:
        if off := self._app.selection.warning():
            log.warning("repairs that save time are off", repairs=off)

    def _warn_of_settings(self, **_: Any) -> None:
        if ignored := self._app.settings.warning():
            log.warning("settings of a later version ignored", what=ignored)

    def _start_housekeeping(self, sender: Any, **_: Any) -> None:
        """Start the sweep and the other chores. Every worker runs the sweep; a lock lets one at a time do the work."""
        settings = self._app.settings
        self._heartbeat = Heartbeat(self._app.canary)
        self._housekeeper = Housekeeper(
            self._app.services,
            name=sender.hostname,
            sweep_every=settings.sweep_every,
            lease=settings.lease,
            canary=self._app.canary,
            heartbeat=self._heartbeat.beat,
        )
        self._housekeeper.start()

    def _serve_metrics(self, **_: Any) -> None:
        """Serve this worker's metrics and health, if that is configured."""
        if bind := self._app.settings.metrics_bind:
            metrics = self._app.services.metrics
            metrics.watch(self._app.canary)
            beat = self._heartbeat
            checks = {"/healthz": beat.healthz, "/readyz": beat.readyz} if beat else {}
            Exporter(metrics.registry, checks=checks).start(bind)

    def _share_threads(self, **_: Any) -> None:
        """Give hooks all threads of a worker that consumes only hooks, half of the threads of any other worker."""
        hooks = self._app.services.deliverer.concurrency
        if set(self._app.amqp.queues.consume_from) == {contract.HOOKS_QUEUE} and hooks:
            hooks.resize(self._app.settings.worker_concurrency)

    def _freeze_imports(self, **_: Any) -> None:
        """Leave imported objects out of later garbage collections: they stay as long as the process does."""
        gc.collect()
        gc.freeze()

    def _unify_signals(self, sender: Any, **_: Any) -> None:
        shutdown.unify_signals(sender.hostname)

    def _stop(self, exitcode: int = 0, **_: Any) -> None:
        """Requeue waiting messages and stop sweeping; running hooks keep their claims until they end or their lease
        does.
        """
        notify("STOPPING=1", os.environ)
        if self._housekeeper is not None:
            self._housekeeper.stop()
        self._app.services.poller.leave()
        shutdown.ShutdownTimer(self._app, timeout=self._app.settings.shutdown_timeout, exit_code=exitcode).start()
