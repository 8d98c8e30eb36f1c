"""What all tasks share: their services, their log lines, and the longest wait that may ride on a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog
from celery import Task

if TYPE_CHECKING:
    from tasks.services import Services

log = structlog.get_logger("renderline.tasks")

LONGEST_COUNTDOWN = 60.0
"""Seconds. A message with a longer countdown would sit in one worker's memory and, on Redis, come again to others once
the visibility timeout has passed; longer waits stand in the ledger, and the sweep sends the message."""


class RenderlineTask(Task):
    """Base of every task."""

    max_retries = None
    typing = False

    @property
    def services(self) -> Services:
        """Return this process's use cases."""
        return cast("Services", self.app.services)

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Put what identifies this run into every log line that it writes."""
        structlog.contextvars.bind_contextvars(task=self.name, task_id=task_id, retry=self.request.retries)

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Clear the log context and say how the run ended; `retry` is how polling and waiting look, not a fault."""
        level = log.warning if status == "FAILURE" else log.debug
        level("task ended", status=status, error=type(retval).__name__ if status == "FAILURE" else None)
        structlog.contextvars.clear_contextvars()
