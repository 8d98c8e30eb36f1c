"""Records the outcome of a submission, publishes what follows, and returns the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from renderline.dispatcher import Dispatcher
from renderline.kinds import CallResult, Kind, RequestUnfit, Stage
from renderline.ledger import ForeignProject, Ledger, Submission, log_failed
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.renders import State
from renderline.requests import load_body_json
from renderline.retry import RetryIn
from renderline.studio import OutcomeUnknown
from renderline.submission.outcome import NotMyTurn, Outcome, Parked, Refused, Submitted

ACCOUNT_UNAVAILABLE = "unavailable_account"
"""Error code of a render whose account, or the API that it needs there, cannot be used."""


@dataclass(frozen=True)
class SubmissionRecorder:
    """Records the end of a submission. Every method returns `NotMyTurn` if the claim was lost."""

    ledger: Ledger
    dispatcher: Dispatcher
    policy: PollPolicy
    durations: Durations

    def advance(self, claim: Submission, following: Stage, result: CallResult, *, lease: float | None = None) -> bool:
        """Record that a free stage is done and `following` comes next; False if the claim was lost.

        With `lease` the call of `following` is announced in the same step. Raises `OutcomeUnknown` if the vendor
        answered with another render's project.
        """
        with _foreign_project():
            return self.ledger.advance(
                claim,
                stage=following.name,
                project_id=result.project_id,
                baseline=result.baseline,
                lease=lease,
                made=_is_made(claim, result.project_id),
                data=result.data,
            )

    def started(
        self,
        claim: Submission,
        kind: Kind,
        project_id: str | None,
        *,
        stage: Stage,
        confirmed: bool,
        data: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Record that the paid call of `stage` was made, with what later stages need, and when to poll first."""
        typical = self.durations.typical(claim.account, kind.name, stage=stage.name if stage.poll else "")
        webhooks = kind.webhook_field is not None and stage.poll is None
        recorded, wake = self.ledger.start(
            claim,
            confirmed=confirmed,
            project_id=project_id,
            made=_is_made(claim, project_id),
            poll_in=self.policy.first_poll_in(typical=typical.quick),
            fallback_in=self.policy.fallback_poll_in(typical.slow) if webhooks else None,
            stage=stage.name,
            data=data,
            shown=stage.progress,
        )
        if not recorded:
            return NotMyTurn()
        self.dispatcher.poll(wake)
        return Submitted(State.RENDERING if confirmed else State.UNCONFIRMED)

    def completed(self, claim: Submission, stage: Stage, result: CallResult) -> Outcome:
        """Record that the plan ended with this call: with a draft, or with a file that its answer holds."""
        with _foreign_project():
            recorded = self.ledger.complete(
                claim,
                stage=stage.name,
                project_id=result.project_id,
                url=result.url,
                data=result.data,
                made=_is_made(claim, result.project_id),
            )
        if not recorded:
            return NotMyTurn()
        self.dispatcher.hooks(claim.id)
        self.dispatcher.unpark()
        return Submitted(State.COMPLETED)

    def unfit(self, claim: Submission, unfit: RequestUnfit) -> Outcome:
        """Fail a render whose request does not fit what the vendor has."""
        return self.refuse(claim, code="unfit_request", message=str(unfit), origin="caller")

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
        """End the render as failed, and have its hooks run."""
        return self._fail(claim.id, fence=claim.fence, code=code, message=message, origin=origin)

    def account_unknown(self, render_id: str, message: str) -> Outcome:
        """Fail a render that no worker could claim, because none knows its account."""
        return self._fail(render_id, code=ACCOUNT_UNAVAILABLE, message=message, origin="renderline")

    def _fail(self, render_id: str, **error: str) -> Outcome:
        if not self.ledger.fail(render_id, **error):
            return NotMyTurn()
        self.dispatcher.hooks(render_id)
        log_failed(self.ledger, [render_id])
        return Refused(" ".join(filter(None, (error["origin"], error["code"], error["message"]))))


def _is_made(claim: Submission, project_id: str | None) -> bool:
    """Return whether one of our calls made this project; otherwise the request named it."""
    return project_id is not None and project_id != load_body_json(claim.body).get("project_id")


@contextmanager
def _foreign_project() -> Iterator[None]:
    """Turn the answer that names another render's project into an outcome that is not known."""
    try:
        yield
    except ForeignProject as foreign:
        raise OutcomeUnknown(str(foreign), endpoint="draft", status=200) from None
