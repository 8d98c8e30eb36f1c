"""Goes through the call plan of a render: each stage is announced in the ledger, called, and recorded.

It ends at the next paid stage, or with the plan of a draft alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from renderline.accounts.permit import Permit
from renderline.kinds import CallResult, RequestUnfit, Stage, is_draft
from renderline.ledger import Ledger
from renderline.observer import calls_for
from renderline.studio import StudioFault
from renderline.submission.fault import FaultHandler
from renderline.submission.lost_draft import recover_draft
from renderline.submission.outcome import Announced, NotMyTurn, Outcome
from renderline.submission.paid_call import PaidCall
from renderline.submission.plan_run import Leases, PlanRun
from renderline.submission.recorder import SubmissionRecorder


@dataclass(frozen=True)
class PlanRunner:
    """Makes the free calls of a plan. The paid one is only announced; `mode` is `two_phase` or `direct`."""

    ledger: Ledger
    recorder: SubmissionRecorder
    faults: FaultHandler
    paid_call: PaidCall
    mode: str
    leases: Leases

    def run(self, run: PlanRun) -> Outcome | Announced:
        """Go through the plan up to the paid call."""
        with calls_for(run.claim.id, run.claim.attempt):
            try:
                return self._go_through(run)
            except StudioFault as fault:
                return self.faults.handle(run, fault)
            except RequestUnfit as unfit:
                return self.recorder.unfit(run.claim, unfit)

    def _go_through(self, run: PlanRun) -> Outcome | Announced:
        # The name of an announced first call identifies its plan, as the next stage does.
        at = run.claim.stage or (run.claim.intent if run.unaccounted else None) or ""
        draft = is_draft(run.context.body)
        plan = run.kind.plan(self.mode, at=at, draft=draft)
        if run.unaccounted:
            recovered = recover_draft(run, plan, self.recorder)
            if recovered.exported and not draft:
                stage = run.kind.followed(plan[-1].name)
                return self.recorder.started(run.claim, run.kind, recovered.exported, stage=stage, confirmed=True)
            plan = recovered.plan
        return self._make_calls(run, plan)

    def _make_calls(self, run: PlanRun, plan: Sequence[Stage]) -> Outcome | Announced:
        if not plan:
            # A draft that was wanted, and whose answer was lost.
            return self.recorder.completed(run.claim, run.kind.draft_plan[-1], CallResult(run.context.project_id))
        permit = run.clients.permit_at_hand(run.kind.api) if run.claim.announced else None
        for index, stage in enumerate(plan):
            run.stage = stage
            if permit is None:
                permit = run.clients.prepare(run.kind.api)
                run.announce()
                if not self.ledger.record_intent(run.claim, stage.name, lease=self.leases.of(stage)):
                    return NotMyTurn()
            if stage.paid:
                return Announced(partial(self.paid_call.make, run, permit))
            result = self._call(run, stage, permit)
            if stage is plan[-1]:
                return self._end_with_draft(run, stage, result)
            # If nothing delays the next call, the step that records this one announces it too.
            permit = run.clients.permit_at_hand(run.kind.api)
            run.announce()
            following = plan[index + 1]
            lease = self.leases.of(following) if permit else None
            if not self.recorder.advance(run.claim, following, result, lease=lease):
                self._leave_to_orphan_sweep(run, result)
                return NotMyTurn()
        raise LookupError(f"kind {run.kind.name} has a plan without an end")

    def _end_with_draft(self, run: PlanRun, stage: Stage, result: CallResult) -> Outcome:
        outcome = self.recorder.completed(run.claim, stage, result)
        if isinstance(outcome, NotMyTurn):
            self._leave_to_orphan_sweep(run, result)
        return outcome

    def _leave_to_orphan_sweep(self, run: PlanRun, result: CallResult) -> None:
        # After a cancel nobody uses the draft; after a lost lease another worker may have adopted it. The orphan sweep
        # finds out which.
        if run.kind.owns_project and result.project_id:
            self.ledger.mark_orphan(run.claim)

    def _call(self, run: PlanRun, stage: Stage, permit: Permit) -> CallResult:
        with run.calling(stage, permit, self.leases):
            result = stage.call(run.clients, run.context)
        if result.warnings:
            self.ledger.warn(run.claim, result.warnings)
        run.context.project_id = result.project_id or run.context.project_id
        run.context.data = {**run.context.data, **(result.data or {})}
        return result
