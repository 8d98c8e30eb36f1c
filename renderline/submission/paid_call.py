"""The paid call: made once, after its announcement is on the ledger's disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from renderline.accounts.clients import AccountUnavailable
from renderline.accounts.permit import Permit, claimed_work
from renderline.bulkhead import Bulkhead
from renderline.kinds import RequestUnfit, Stage
from renderline.ledger import NotSynced
from renderline.observer import calls_for
from renderline.studio import StudioFault
from renderline.submission.fault import FaultHandler
from renderline.submission.outcome import NotMyTurn, Outcome
from renderline.submission.plan_run import Leases, PlanRun
from renderline.submission.recorder import ACCOUNT_UNAVAILABLE, SubmissionRecorder

BULKHEAD_FULL = "its account has reached the limit of submissions in one worker"

_DISK_RETRY = 2.0
"""Seconds until a paid call is retried if the ledger's disk was too slow."""
_BULKHEAD_WAIT = 3.0
"""Seconds that an announced call waits, in its own thread, for others of its account."""


@dataclass(frozen=True)
class PaidCall:
    """Makes announced paid calls."""

    recorder: SubmissionRecorder
    faults: FaultHandler
    bulkhead: Bulkhead
    wait_for_disk: Callable[[], None]
    leases: Leases
    replicas: int = 0
    """How many replicas of the ledger must have the announcement."""

    @claimed_work()
    def make(self, run: PlanRun, permit: Permit) -> Outcome:
        """Make the announced call, once a crash of Redis, or a failover, can no longer lose the announcement."""
        try:
            self.wait_for_disk()
            if self.replicas and not self._replicated(run):
                return NotMyTurn()
        except NotSynced as slow:
            return self.recorder.retry_later(run.claim, _DISK_RETRY, f"nothing was sent: {slow}")
        account, stage = run.claim.account, run.stage
        assert stage
        with calls_for(run.claim.id, run.claim.attempt):
            return self._make(run, permit, account, stage)

    def _replicated(self, run: PlanRun) -> bool:
        assert run.stage
        run.announce()
        lease = self.leases.of(run.stage)
        return self.recorder.ledger.replicate_intent(run.claim, run.stage.name, lease=lease, replicas=self.replicas)

    def _make(self, run: PlanRun, permit: Permit, account: str, stage: Stage) -> Outcome:
        if not self.bulkhead.acquire(account, patience=_BULKHEAD_WAIT):
            return self.recorder.park(run.claim, BULKHEAD_FULL, keep_intent=False)
        try:
            with run.calling(stage, permit, self.leases):
                result = stage.call(run.clients, run.context)
            if result.url:
                return self.recorder.completed(run.claim, stage, result)
            project_id = result.project_id or run.context.project_id
            return self.recorder.started(run.claim, run.kind, project_id, stage=stage, data=result.data, confirmed=True)
        except StudioFault as fault:
            return self.faults.handle(run, fault)
        except RequestUnfit as unfit:
            return self.recorder.unfit(run.claim, unfit)
        except AccountUnavailable as error:
            return self.recorder.refuse(run.claim, code=ACCOUNT_UNAVAILABLE, message=str(error), origin="renderline")
        finally:
            self.bulkhead.release(account)
