"""The events of a task say what became of its work: outcome, name and labels of the render, and FAILURE if it failed.

Celery knows only whether a task raised. A submission whose render failed, and a hook that was dead-lettered, did what
they had to, so they end as SUCCESS with the result None. Raising instead would store results, run errbacks and fill the
log with tracebacks of what is no bug. Here only the events differ: acks, results and retries stay as they are.

Celery's `State`, which Flower keeps, takes every field of an event, so the last event of a run replaces its arguments.
A run that ends in another thread after its task has returned sends its last event then: a later one with another state
would not count. No upstream issue was found; Flower's empty columns are mher/flower#1229.
"""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from tasks import run_report
from workers.repairs.redaction import shown
from workers.repairs.repair import CELERY, Repair

_ENDS = frozenset({"task-succeeded", "task-failed", "task-retried"})


class ReportedRequest(Request):
    """A task message whose last event carries the report of its run."""

    _report: run_report.RunReport | None = None

    def on_accepted(self, pid: Any, time_accepted: Any) -> None:
        """Begin the report of this run, in the thread that runs it."""
        self._report = run_report.begin()
        super().on_accepted(pid, time_accepted)

    def send_event(self, type: str, **fields: Any) -> None:
        """Send an event; the last one when the run has ended."""
        report = self._report
        if report is None or type not in _ENDS:
            super().send_event(type, **fields)
        elif type != "task-succeeded" or not report.waits(self._send_late):
            self._send_end(type, report, fields)

    def _send_late(self, seconds: float) -> None:
        if self._report is not None:
            self._send_end("task-succeeded", self._report, {"runtime": seconds})

    def _send_end(self, type: str, report: run_report.RunReport, fields: dict[str, Any]) -> None:
        if report.outcome:
            fields["result"] = report.outcome
            if report.failed or type == "task-retried":
                # Neither is a bug: where it was raised says nothing.
                fields.pop("traceback", None)
                fields["exception"] = report.outcome
            if report.failed:
                type = "task-failed"
        if report.about:
            _, kwargs = shown(self._task.name, self._args, self._kwargs)
            fields["kwargs"] = repr({**report.about, **kwargs})
        super().send_event(type, **fields)


REPAIR = Repair(
    name="outcome events",
    promise="Flower shows what became of a task's work, not only that the task ended",
    needs=CELERY,
    touches=(
        "celery.worker.request:Request.on_accepted",
        "celery.worker.request:Request.send_event",
        "celery.worker.request:Request._task",
        "celery.worker.request:Request._args",
        "celery.worker.request:Request._kwargs",
    ),
    request=ReportedRequest,
)
