"""The base of every task: use cases, log lines, and the longest countdown of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog
from celery import Task

from tasks import run_report

if TYPE_CHECKING:
    from tasks.services import Services

log = structlog.get_logger("renderline.tasks")

LONGEST_COUNTDOWN = 60.0
"""Seconds. A longer countdown would wait in one worker's memory, and Redis would deliver the message again after the
visibility timeout. Longer waits are kept in the ledger, and the sweep sends the message.
"""


class RenderlineTask(Task):
    """Base of every task. Workers set its `Request` class (workers/repairs/transport.py)."""

    max_retries = None
    typing = False

    @property
    def services(self) -> Services:
        """Return this process's use cases."""
        return cast("Services", self.app.services)

    def report(self, ending: run_report.Ending) -> str:
        """Report how this run ended; returns the text that is shown."""
        return run_report.current().end(ending.text, failed=ending.failed, labels=self.services.labels)

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Add task name, task id and retry number to every log line of this run."""
        structlog.contextvars.bind_contextvars(task=self.name, task_id=task_id, retry=self.request.retries)

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Log how the run ended and clear the log context. RETRY is normal: polling and waiting are retries."""
        level = log.warning if status == "FAILURE" else log.debug
        level("task ended", status=status, error=type(retval).__name__ if status == "FAILURE" else None)
        structlog.contextvars.clear_contextvars()
