"""Submitting a render: its plan's vendor calls, each announced in the ledger before it is made and accounted for after.

A worker may die between any two lines here. What it leaves is an announced call; whoever comes next looks for its
outcome before doing anything again, and never repeats a call that costs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from redis import RedisError

from renderline.accounts.circuit_breaker import is_absence
from renderline.accounts.clients import AccountClients, AccountUnavailable, known
from renderline.bulkhead import Bulkhead
from renderline.drafts import discard, find_by_name, has_begun, project_name
from renderline.kinds import APIS, KINDS, PAID, Kind, Made, Order, Stage
from renderline.ledger import AccountUnknown, ForeignProject, Ledger, NotSynced, PumpWake, Submission
from renderline.ledger.store import UNKNOWN_AFTER
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.requests import RenderRequest
from renderline.retry import RetryPolicy
from renderline.studio import (
    CredentialsRefused,
    CreditExhausted,
    OutcomeUnknown,
    PayloadRefused,
    ProjectMissing,
    RateLimited,
    StudioFault,
    TokenRejected,
    VendorUnavailable,
    moment,
    sent_by,
)

log = structlog.get_logger(__name__)

_UNKNOWN = "unavailable_account"

_DISK_RETRY = 2.0
"""Seconds until a paid call is tried again that the ledger's disk held up."""

CREDENTIALS_RETRY = 30.0
"""Seconds between tries while the account's credentials are refused: the work waits for the operator."""

_PLACE_PATIENCE = 0.5
"""Seconds for which a submission waits for others of its account in this process: well below what its lease spares."""

_SENT_WITHIN = 0.75
"""Share of the lease within which an announced call leaves, or does not leave at all."""

_PAYING_PATIENCE = 3.0
"""The same for a call that is announced and waits in a thread of its own."""

_NO_PLACE = "its account has as many submissions under way as one worker makes"

_AWAY = frozenset({None, 502, 503, 504})
"""HTTP statuses (None: no answer) that say that the vendor is away, and nothing about the render."""


@dataclass(frozen=True)
class Submitted:
    """The paid call was made (seen or not); `kick` is the pump to start, if any."""

    kick: PumpWake | None


@dataclass(frozen=True)
class TryAgain:
    """Try again in `seconds`."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Refused:
    """The render failed here; its hooks are owed."""


@dataclass(frozen=True)
class NotMyTurn:
    """Nothing to do: over, or in another worker's hands."""


@dataclass(frozen=True)
class Parked:
    """Waits until its account may go on."""

    why: str


Outcome = Submitted | TryAgain | Parked | Refused | NotMyTurn


@dataclass(frozen=True)
class Announced:
    """The paid call is announced: `go_on` makes it once that is on disk, a second later perhaps, in any thread."""

    go_on: Callable[[], Outcome]


@dataclass
class _Run:
    """One pass through a plan: where it is, and whether an earlier call is still unaccounted for."""

    claim: Submission
    kind: Kind
    clients: AccountClients
    order: Order
    announced_at: float
    """A moment before the newest announcement: until when its call may be sent is counted from here."""
    stage: Stage | None = None
    unaccounted: bool = False


@dataclass(frozen=True)
class Submitter:
    """Makes the vendor calls that start renders.

    `mode` is `two_phase` or `direct`; `lease` (seconds) must be longer than any single vendor call can take.
    `webhook_url` returns the URL that the vendor shall call for a render, or None; `policy` says when to look first.
    `following` sends the renders (id, priority) of the same account whose turn comes as one begins.
    """

    ledger: Ledger
    accounts: Mapping[str, AccountClients]
    mode: str
    lease: float
    policy: PollPolicy
    durations: Durations
    retries: RetryPolicy
    webhook_url: Callable[[Submission], str | None] = lambda _: None
    following: Callable[[Sequence[tuple[str, str]]], object] | None = None
    places: Bulkhead = field(default_factory=Bulkhead)
    """How many submissions each account may have under way in this process."""
    on_disk: Callable[[], None] = lambda: None
    """Returns when the ledger's writes so far are on disk; raises `NotSynced`."""
    unknown_after: float = UNKNOWN_AFTER
    """Seconds after which a render fails whose account, or the API of it that it needs, no worker has."""
    _first: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        plans = {name: kind.plan(self.mode, at="") for name, kind in KINDS.items()}
        # A paid call is announced by itself, when nothing but the call is left to do.
        object.__setattr__(self, "_first", {name: plan[0].name for name, plan in plans.items() if not plan[0].paid})

    def submit(self, render_id: str) -> Outcome:
        """Start a render at the vendor if it is its turn; safe to call at any time, any number of times."""
        found = self.begin(render_id)
        return found.go_on() if isinstance(found, Announced) else found

    def begin(self, render_id: str) -> Outcome | Announced:
        """Do what `submit` does up to the paid call, which is the caller's to go on with, in this process."""
        began = moment()
        try:
            claim = self.ledger.begin_submission(
                render_id,
                lease=self.lease,
                first=self._first,
                hanging=self.places.hanging(),
                following=self._send if self.following else None,
                known=known(self.accounts),
                unknown_after=self.unknown_after,
                apis=APIS,
                paid=PAID,
            )
        except AccountUnknown as error:
            log.error("account not known to any worker", render_id=render_id, why=str(error))
            failed = self.ledger.fail(render_id, code=_UNKNOWN, message=str(error), origin="renderline")
            return Refused() if failed else NotMyTurn()
        if claim is None:
            return NotMyTurn()
        if not self.places.take(claim.account, patience=_PLACE_PATIENCE):
            # Parked: a thread that waits for a hanging account is a thread that others lack.
            return self._park(claim, _NO_PLACE, keep_intent=bool(claim.intent))
        try:
            return self._run(claim, began)
        except AccountUnavailable as error:
            return self._refuse(claim, code=_UNKNOWN, message=str(error), origin="renderline")
        finally:
            self.places.give_back(claim.account)

    def _pay(self, run: _Run, clients: AccountClients) -> Outcome:
        """Make the announced call that costs, once nothing that could make somebody repeat it can be lost."""
        try:
            self.on_disk()
        except NotSynced as slow:
            return self._later(run.claim, _DISK_RETRY, f"nothing was sent: {slow}")
        account, stage = run.claim.account, run.stage
        assert stage
        if not self.places.take(account, patience=_PAYING_PATIENCE):
            return self._park(run.claim, _NO_PLACE, keep_intent=False)
        try:
            # Stopped here for longer than the lease, it would be a call that others have given up already.
            with sent_by(run.announced_at + self.lease * _SENT_WITHIN):
                made = stage.call(clients, run.order)
            return self._started(run.claim, run.kind, made.project_id or run.order.project_id, confirmed=True)
        except StudioFault as fault:
            return self._faulted(run, fault)
        except AccountUnavailable as error:
            return self._refuse(run.claim, code="unavailable_account", message=str(error), origin="renderline")
        finally:
            self.places.give_back(account)

    def _send(self, following: Sequence[tuple[str, str]]) -> None:
        if self.following is None:
            return
        try:
            self.following(following)
        except (OSError, RedisError) as error:
            log.warning("submissions not announced, left to the sweep", renders=len(following), why=str(error))

    def _run(self, claim: Submission, began: float) -> Outcome | Announced:
        kind = KINDS[claim.kind]
        left = kind.stage(claim.intent) if claim.intent else None
        if left and left.paid:
            # Whoever announced it died, or is gone: paid for or not, it has to be settled.
            return self._started(claim, kind, claim.project_id, confirmed=False)
        clients = self.accounts[claim.account]
        request = RenderRequest.from_json(claim.body)
        name = project_name(claim.name, claim.id, claim.attempt, claim.draft)
        order = Order(request, name, self.webhook_url(claim), claim.project_id)
        run = _Run(claim, kind, clients.of(kind.api), order, announced_at=began)
        run.unaccounted = left is not None
        try:
            return self._go_through(run)
        except StudioFault as fault:
            return self._faulted(run, fault)

    def _go_through(self, run: _Run) -> Outcome | Announced:
        # A first call that was announced says which plan it belongs to, as a stage that is done does.
        at = run.claim.stage or (run.claim.intent if run.unaccounted else None) or ""
        plan = run.kind.plan(self.mode, at=at)
        if run.unaccounted:
            plan, project = self._recover(run, plan)
            if project:
                return self._started(run.claim, run.kind, project, confirmed=True)
        announced = run.claim.announced
        for index, stage in enumerate(plan):
            run.stage = stage
            clients = run.clients
            if not (announced and clients.prepared):
                clients = clients.prepare()
                run.announced_at = moment()
                if not self.ledger.intend(run.claim, stage.name, lease=self.lease):
                    return NotMyTurn()
            if stage.paid:
                return Announced(partial(self._pay, run, clients))
            # Stopped here for longer than the lease, it would be a call that others have given up already.
            with sent_by(run.announced_at + self.lease * _SENT_WITHIN):
                made = stage.call(clients, run.order)
            run.order.project_id = made.project_id or run.order.project_id
            # Where nothing holds it up, the next call is announced in the step that records this one.
            announced = run.clients.prepared
            run.announced_at = moment()
            if not self._advance(run.claim, plan[index + 1], made, announce=announced):
                # Canceled: the draft just made is nobody's. Taken over after the lease: it may be adopted already, and
                # exported, and delivered. Whoever hunts for orphans can tell.
                if run.kind.disposable and made.project_id:
                    self.ledger.suspect(run.claim)
                return NotMyTurn()
        raise LookupError(f"kind {run.kind.name} has a plan without a paid stage")

    def _recover(self, run: _Run, plan: tuple[Stage, ...]) -> tuple[tuple[Stage, ...], str | None]:
        """Adopt the draft of an announced call whose answer nobody saw, if the vendor's list shows it.

        Returns what is left of the plan, and the project if it was exported already: a ledger that lost its last
        writes does not know of that.
        """
        claim = run.claim
        found = find_by_name(run.clients, claim.id, claim.attempt, claim.draft) if plan[0].named else None
        try:
            begun = found is not None and has_begun(run.kind, run.clients, found)
        except ProjectMissing:
            found = None  # deleted since the list was made
        run.unaccounted = False
        if not found:
            return plan, None
        log.info("lost draft found by its name", render_id=claim.id, project_id=found, exported=begun)
        run.order.project_id = found
        self._advance(claim, plan[1], Made(found))
        return plan[1:], found if begun else None

    def _advance(self, claim: Submission, following: Stage, made: Made, *, announce: bool = False) -> bool:
        try:
            return self.ledger.advance(
                claim,
                stage=following.name,
                project_id=made.project_id,
                baseline=made.baseline,
                lease=self.lease if announce else None,
                made=_is_made(claim, made.project_id),
            )
        except ForeignProject as foreign:
            fault = OutcomeUnknown(str(foreign), endpoint="draft", status=200)
        raise fault

    def _started(self, claim: Submission, kind: Kind, project_id: str | None, *, confirmed: bool) -> Outcome:
        usual = self.durations.usual(claim.account, kind.name)
        recorded, kick = self.ledger.start(
            claim,
            confirmed=confirmed,
            project_id=project_id,
            made=_is_made(claim, project_id),
            look_in=self.policy.first_in(typical=usual.quick),
            trusting=self.policy.making_sure(usual.slow) if kind.calls_back else None,
        )
        return Submitted(kick) if recorded else NotMyTurn()

    def _faulted(self, run: _Run, fault: StudioFault) -> Outcome:
        claim, stage = run.claim, run.stage
        log.warning("vendor call failed", render_id=claim.id, stage=stage.name if stage else None, fault=str(fault))
        if isinstance(fault, OutcomeUnknown):
            if stage and stage.paid:
                return self._started(claim, run.kind, run.order.project_id, confirmed=False)
            return self._retry(run, fault, unaccounted=True)
        if isinstance(fault, PayloadRefused):
            outcome = self._refuse(claim, code=fault.code or str(fault.status or ""), message=fault.message)
            # Only with the claim still ours: another worker may have adopted, and exported, the same draft.
            if isinstance(outcome, Refused) and run.kind.disposable and run.order.project_id:
                discard(run.kind, run.clients, run.order.project_id)
            return outcome
        if isinstance(fault, RateLimited | CreditExhausted):
            return self._park(claim, str(fault), keep_intent=run.unaccounted)
        if isinstance(fault, CredentialsRefused):
            return self._later(claim, CREDENTIALS_RETRY, str(fault), keep_intent=run.unaccounted)
        return self._retry(run, fault, unaccounted=run.unaccounted)

    def _retry(self, run: _Run, fault: StudioFault, *, unaccounted: bool) -> Outcome:
        claim = run.claim
        retry_after = fault.retry_after if isinstance(fault, VendorUnavailable) else None
        # Whoever probes while the vendor is away fails for all of them.
        counted = _is_failure(fault) and not run.clients.away
        attempt = claim.failures + 1 if counted else claim.attempts
        wait = self.retries.retry_in(attempt, jitter=random.random(), retry_after=retry_after)
        if wait is None and counted:
            message = f"given up after {attempt} failures: {fault.message}"
            return self._refuse(claim, code=fault.code or str(fault.status), message=message)
        return self._later(claim, wait or self.retries.cap, str(fault), keep_intent=unaccounted, failed=counted)

    def _later(
        self, claim: Submission, seconds: float, why: str, *, keep_intent: bool = False, failed: bool = False
    ) -> Outcome:
        released = self.ledger.release(claim, retry_in=seconds, note=why, keep_intent=keep_intent, failed=failed)
        return TryAgain(seconds, why) if released else NotMyTurn()

    def _park(self, claim: Submission, why: str, *, keep_intent: bool) -> Outcome:
        parked = self.ledger.release(claim, retry_in=0.0, note=why, keep_intent=keep_intent, park=True)
        return Parked(why) if parked else NotMyTurn()

    def _refuse(self, claim: Submission, *, code: str, message: str, origin: str = "vendor") -> Outcome:
        failed = self.ledger.fail(claim.id, fence=claim.fence, code=code, message=message, origin=origin)
        return Refused() if failed else NotMyTurn()


def _is_made(claim: Submission, project_id: str | None) -> bool:
    """Return whether a call made this project: it is not one that the request names."""
    return project_id is not None and project_id != RenderRequest.from_json(claim.body).project_id


def _is_failure(fault: StudioFault) -> bool:
    """Return whether a fault is this render's own, and so counts towards giving it up.

    Nobody answering, or only a proxy in front, is an outage; a token that cannot be had is the account's trouble.
    """
    if isinstance(fault, TokenRejected) or (is_absence(fault) and (fault.status or 0) < 500):
        return False
    if fault.endpoint.endswith("/auth/token"):
        return False
    return fault.status is not None and fault.status not in _AWAY
