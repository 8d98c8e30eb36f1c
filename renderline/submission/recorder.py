"""Records in the ledger what became of a claimed submission, and returns it as an outcome."""

from __future__ import annotations

from dataclasses import dataclass

from renderline.kinds import CallResult, Kind, Stage
from renderline.ledger import ForeignProject, Ledger, Submission
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.requests import RenderRequest
from renderline.studio import OutcomeUnknown
from renderline.submission.outcome import NotMyTurn, Outcome, Parked, Refused, RetryIn, Submitted


@dataclass(frozen=True)
class SubmissionRecorder:
    """Writes the end of a submission. Every method returns `NotMyTurn` if the claim was lost."""

    ledger: Ledger
    policy: PollPolicy
    durations: Durations

    def advance(self, claim: Submission, following: Stage, result: CallResult, *, lease: float | None = None) -> bool:
        """Record that a free stage is done and `following` comes next; False if the claim was lost.

        With `lease` the call of `following` is announced in the same step. Raises `OutcomeUnknown` if the vendor
        answered with another render's project.
        """
        try:
            return self.ledger.advance(
                claim,
                stage=following.name,
                project_id=result.project_id,
                baseline=result.baseline,
                lease=lease,
                made=_is_made(claim, result.project_id),
            )
        except ForeignProject as foreign:
            fault = OutcomeUnknown(str(foreign), endpoint="draft", status=200)
        raise fault

    def started(self, claim: Submission, kind: Kind, project_id: str | None, *, confirmed: bool) -> Outcome:
        """Record that the paid call was made, and when to poll first."""
        typical = self.durations.typical(claim.account, kind.name)
        recorded, kick = self.ledger.start(
            claim,
            confirmed=confirmed,
            project_id=project_id,
            made=_is_made(claim, project_id),
            look_in=self.policy.first_poll_in(typical=typical.quick),
            trusting=self.policy.fallback_poll_in(typical.slow) if kind.takes_webhook else None,
        )
        return Submitted(kick) if recorded else NotMyTurn()

    def retry_later(
        self, claim: Submission, seconds: float, why: str, *, keep_intent: bool = False, failed: bool = False
    ) -> Outcome:
        """Release the claim until a retry; `failed` counts it as a failure of the render."""
        released = self.ledger.release(claim, retry_in=seconds, note=why, keep_intent=keep_intent, failed=failed)
        return RetryIn(seconds, why) if released else NotMyTurn()

    def park(self, claim: Submission, why: str, *, keep_intent: bool) -> Outcome:
        """Release the claim until the account may make calls again."""
        parked = self.ledger.release(claim, retry_in=0.0, note=why, keep_intent=keep_intent, park=True)
        return Parked(why) if parked else NotMyTurn()

    def refuse(self, claim: Submission, *, code: str, message: str, origin: str = "vendor") -> Outcome:
        """End the render as failed."""
        failed = self.ledger.fail(claim.id, fence=claim.fence, code=code, message=message, origin=origin)
        return Refused() if failed else NotMyTurn()


def _is_made(claim: Submission, project_id: str | None) -> bool:
    """Return whether one of our calls made this project, rather than the request naming it."""
    return project_id is not None and project_id != RenderRequest.from_json(claim.body).project_id
