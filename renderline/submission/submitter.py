"""Submits renders: claims one, goes through its call plan, and leaves a record at every step.

A worker may die between any two lines here and leave an announced call behind. The next worker finds out the outcome of
that call before it makes another one, and never repeats a paid call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import structlog

from renderline.accounts.clients import AccountClients, AccountUnavailable, known
from renderline.accounts.permit import claimed_work
from renderline.bulkhead import Bulkhead
from renderline.catalogue.name_check import NameCheck
from renderline.dispatcher import Dispatcher
from renderline.drafts import project_name
from renderline.http import PageFinding, boottime
from renderline.kinds import APIS, KINDS, PAID_STAGES
from renderline.ledger import UNKNOWN_AFTER, AccountUnknown, Ledger, Submission, subject
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.renders import BEGIN
from renderline.requests import load_body_json
from renderline.retry import RetryPolicy
from renderline.submission.fault import FaultHandler
from renderline.submission.files import RunFiles
from renderline.submission.outcome import Announced, NotMyTurn, Outcome
from renderline.submission.paid_call import BULKHEAD_FULL, PaidCall
from renderline.submission.plan import PlanRunner
from renderline.submission.plan_run import Leases, PlanRun
from renderline.submission.recorder import ACCOUNT_UNAVAILABLE, SubmissionRecorder
from renderline.uploads import FileOpener

log = structlog.get_logger(__name__)

UNKNOWN_NAME = "unknown_name"
"""Error code of a render whose request names what the vendor's lists do not have."""
_BULKHEAD_WAIT = 0.5
"""Seconds that a submission waits for others of its account in this process; far less than its lease."""

_OTHER_VERSION_IN = 2.0
"""Seconds after which a render of an unknown kind is offered again, to any worker."""


@dataclass(frozen=True)
class Submitter:
    """Makes the vendor calls that start renders.

    `mode` is `two_phase` or `direct`; `lease` (seconds) must be longer than any usual vendor call can take, and
    `slow_lease` (None: the same) says how long a slow one may.
    `webhook_url` returns the URL that the vendor calls for a render, or None; `policy` says when to poll first.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    accounts: Mapping[str, AccountClients]
    mode: str
    lease: float
    policy: PollPolicy
    durations: Durations
    retries: RetryPolicy
    webhook_url: Callable[[Submission], str | None] = lambda _: None
    bulkhead: Bulkhead = field(default_factory=Bulkhead)
    """How many submissions each account may have under way in this process."""
    wait_for_disk: Callable[[], None] = lambda: None
    """Returns when the ledger's writes so far are on disk; raises `NotSynced`."""
    replicas: int = 0
    """How many replicas of the ledger must have the announcement of a paid call before it is made."""
    names: NameCheck | None = None
    """Checks what a request names before its first call; None: nothing does."""
    slow_lease: float | None = None
    """The lease of calls whose answer comes only when the work is done, if it is longer."""
    check_page: Callable[[str], PageFinding] | None = None
    """Looks whether a page that a request names is there; None: nobody does."""
    files: FileOpener | None = None
    """Opens the files that requests name."""
    unknown_after: float = UNKNOWN_AFTER
    """Seconds after which a render fails if no worker has its account, or the API of it that the render needs."""

    def submit(self, render_id: str) -> Outcome:
        """Start a render at the vendor if it is its turn; safe to call at any time, any number of times."""
        found = self.begin(render_id)
        return found.make_call() if isinstance(found, Announced) else found

    def begin(self, render_id: str) -> Outcome | Announced:
        """Do what `submit` does up to the paid call. The caller makes that one, in this process."""
        began = boottime()
        unclaimed: list[str] = []
        try:
            claim = self._claim(render_id, unclaimed.append)
        except AccountUnknown as error:
            log.error("account not known to any worker", render_id=render_id, why=str(error))
            return self._recorder.account_unknown(render_id, str(error))
        if claim is None:
            return NotMyTurn(*unclaimed)
        subject.note(claim.name, claim.metadata)
        # For the log lines of this run, and of the thread that makes the paid call.
        structlog.contextvars.bind_contextvars(**claim.log_labels)
        if not self.bulkhead.acquire(claim.account, patience=_BULKHEAD_WAIT):
            # Parked: other accounts need the thread more than a hanging one.
            return self._recorder.park(claim, BULKHEAD_FULL, keep_intent=bool(claim.intent))
        try:
            return self._run(claim, began)
        except AccountUnavailable as error:
            return self._recorder.refuse(claim, code=ACCOUNT_UNAVAILABLE, message=str(error), origin="renderline")
        finally:
            self.bulkhead.release(claim.account)

    def _claim(self, render_id: str, unclaimed: Callable[[str], object]) -> Submission | None:
        return self.ledger.claim_submission(
            render_id,
            lease=self.lease,
            first=self._first_stages,
            hanging=self.bulkhead.hanging(),
            following=self.dispatcher.submit_all,
            known=known(self.accounts),
            unknown_after=self.unknown_after,
            apis=APIS,
            paid=PAID_STAGES,
            unclaimed=unclaimed,
            findable=self._findable,
        )

    @claimed_work()
    def _run(self, claim: Submission, began: float) -> Outcome | Announced:
        kind = KINDS.get(claim.kind)
        if kind is None:
            # A later version accepted it; its workers take their turn.
            why = f"its kind {claim.kind} is not known to this worker"
            return self._recorder.retry_later(claim, _OTHER_VERSION_IN, why, keep_intent=bool(claim.intent))
        left = kind.stage(claim.intent) if claim.intent else None
        if left and left.paid:
            # The worker that announced the paid call is gone. The render may be paid for, so polls have to confirm it.
            return self._recorder.started(claim, kind, claim.project_id, stage=left, confirmed=False)
        if claim.late:
            # What the next stage costs would be in vain. A retry goes on with what the earlier ones made.
            message = f"its deadline passed before its stage {claim.stage} began, for which nothing was charged"
            return self._recorder.refuse(claim, code="deadline", message=message, origin="renderline")
        if left is None and claim.stage in ("", BEGIN) and (refused := self._unknown_names(claim)):
            return refused
        clients = self.accounts[claim.account]
        name = project_name(claim.name, claim.id, claim.attempt, claim.draft)
        context = kind.context(
            load_body_json(claim.body),
            name=name,
            webhook_url=self.webhook_url(claim),
            project_id=claim.project_id,
            data=claim.data,
        )
        context.check_page = self.check_page
        run = PlanRun(claim, kind, clients, context, announced_at=began, unaccounted=left is not None)
        if self.files is not None:
            context.open_upload = RunFiles(run, self.ledger, self.files, self._leases).open
        return self._plan_runner.run(run)

    def _unknown_names(self, claim: Submission) -> Outcome | None:
        """Warn of what the request names and the vendor's lists lack; return the outcome if that is refused."""
        if self.names is None:
            return None
        unknown = self.names.before_charge(claim.kind, load_body_json(claim.body), claim.account, tenant=claim.tenant)
        if warnings := [one.warning for one in unknown if not one.refused]:
            log.warning("unknown names", render_id=claim.id, count=len(warnings))
            if not self.ledger.warn(claim, warnings):
                return NotMyTurn()
        refusals = [f"{one.path}: {one.message}" for one in unknown if one.refused]
        if not refusals:
            return None
        return self._recorder.refuse(claim, code=UNKNOWN_NAME, message="; ".join(refusals[:5]), origin="caller")

    @cached_property
    def _first_stages(self) -> Mapping[str, str]:
        plans = {name: kind.plan(self.mode, at="") for name, kind in KINDS.items()}
        # A paid call is announced in a step of its own, right before it is made; a slow one with its own lease.
        return {name: plan[0].name for name, plan in plans.items() if not plan[0].paid and not plan[0].slow}

    @cached_property
    def _findable(self) -> Mapping[str, str]:
        plans = {name: kind.plan(self.mode, at="") for name, kind in KINDS.items()}
        found = {name: next((stage.name for stage in plan if stage.findable), "") for name, plan in plans.items()}
        return {name: stage for name, stage in found.items() if stage}

    @cached_property
    def _leases(self) -> Leases:
        return Leases(self.lease, max(self.lease, self.slow_lease or 0.0))

    @cached_property
    def _recorder(self) -> SubmissionRecorder:
        return SubmissionRecorder(self.ledger, self.dispatcher, self.policy, self.durations)

    @cached_property
    def _plan_runner(self) -> PlanRunner:
        faults = FaultHandler(self._recorder, self.retries)
        paid_call = PaidCall(self._recorder, faults, self.bulkhead, self.wait_for_disk, self._leases, self.replicas)
        return PlanRunner(self.ledger, self._recorder, faults, paid_call, self.mode, self._leases)
