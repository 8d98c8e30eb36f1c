"""The consequence of a failed vendor call for a submission: retry, park, fail, or confirm later."""

from __future__ import annotations

import random
from dataclasses import dataclass

import structlog

from renderline.accounts.circuit_breaker import is_outage
from renderline.drafts import discard
from renderline.retry import RetryPolicy
from renderline.studio import (
    CredentialsRefused,
    CreditExhausted,
    OutcomeUnknown,
    PayloadRefused,
    RateLimited,
    StudioFault,
    TokenRejected,
    VendorUnavailable,
)
from renderline.submission.outcome import Outcome, Refused
from renderline.submission.plan_run import PlanRun
from renderline.submission.recorder import SubmissionRecorder

log = structlog.get_logger(__name__)

CREDENTIALS_RETRY = 30.0
"""Seconds between retries while the account's credentials are refused. An operator has to correct them."""

_UNREACHABLE = frozenset({None, 502, 503, 504})
"""HTTP statuses (None: no answer) of an unreachable vendor; they say nothing about the render."""


@dataclass(frozen=True)
class FaultHandler:
    """Turns a vendor fault into the outcome of the submission, and records it."""

    recorder: SubmissionRecorder
    retries: RetryPolicy

    def handle(self, run: PlanRun, fault: StudioFault) -> Outcome:
        """Record the consequence of the fault."""
        claim, stage = run.claim, run.stage
        log.warning("vendor call failed", render_id=claim.id, stage=stage.name if stage else None, fault=str(fault))
        if isinstance(fault, OutcomeUnknown):
            if stage and stage.paid:
                return self.recorder.started(claim, run.kind, run.context.project_id, stage=stage, confirmed=False)
            return self._retry(run, fault, unaccounted=True)
        if isinstance(fault, PayloadRefused):
            return self._refuse(run, fault)
        if isinstance(fault, RateLimited | CreditExhausted):
            return self.recorder.park(claim, str(fault), keep_intent=run.unaccounted)
        if isinstance(fault, CredentialsRefused):
            return self.recorder.retry_later(claim, CREDENTIALS_RETRY, str(fault), keep_intent=run.unaccounted)
        return self._retry(run, fault, unaccounted=run.unaccounted)

    def _refuse(self, run: PlanRun, fault: PayloadRefused) -> Outcome:
        outcome = self.recorder.refuse(run.claim, code=fault.code or str(fault.status or ""), message=fault.message)
        # Only while the claim is ours: another worker may have adopted and exported the same draft.
        # What an earlier paid stage made cost something: another attempt goes on with it.
        kept = run.stage is not None and bool(run.kind.resumes_at(run.stage.name))
        if isinstance(outcome, Refused) and run.kind.owns_project and run.context.project_id and not kept:
            discard(run.kind, run.clients, run.context.project_id)
        return outcome

    def _retry(self, run: PlanRun, fault: StudioFault, *, unaccounted: bool) -> Outcome:
        claim = run.claim
        retry_after = fault.retry_after if isinstance(fault, VendorUnavailable) else None
        # A render that probes an open circuit fails for all; that is not its own failure.
        counted = _is_failure(fault) and not run.clients.circuit_open
        attempt = claim.failures + 1 if counted else claim.attempts
        wait = self.retries.retry_in(attempt, jitter=random.random(), retry_after=retry_after)
        if wait is None and counted:
            message = f"given up after {attempt} failures: {fault.message}"
            return self.recorder.refuse(claim, code=fault.code or str(fault.status), message=message)
        return self.recorder.retry_later(
            claim, wait or self.retries.cap, str(fault), keep_intent=unaccounted, failed=counted
        )


def _is_failure(fault: StudioFault) -> bool:
    """Return whether a fault is this render's own, and so counts towards giving it up.

    No answer, or one from a proxy, concerns the vendor. A missing token concerns the account.
    """
    if isinstance(fault, TokenRejected) or (is_outage(fault) and (fault.status or 0) < 500):
        return False
    if fault.endpoint.endswith("/auth/token"):
        return False
    return fault.status is not None and fault.status not in _UNREACHABLE
