"""The operations on renders, hooks and accounts, the same through every door: cancel, retry, adopt, replay, pause, ...

Each operation is one atomic step in the ledger, which checks the state that the step needs. Then the messages that
follow are published, or left to the sweep. Doors (HTTP, command line) only format what is returned or raised here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, NoReturn, TypeVar, cast

import structlog

from renderline.accounts.clients import AccountClients
from renderline.dispatcher import Dispatcher
from renderline.drafts import find_by_name
from renderline.kinds import KINDS
from renderline.ledger import HELD, AccountReports, Audit, Commands, Ledger, Quota, Timeline
from renderline.ledger.audit import login
from renderline.ledger.schema import LEVEL, version_of
from renderline.ledger.statistics import Statistics
from renderline.observer import calls_for
from renderline.renders import FINAL, State
from renderline.studio import ProjectMissing, StudioFault
from renderline.tenants import DEFAULT, Actor, Tenant, Tenants

log = structlog.get_logger(__name__)

Record = dict[str, Any]

_Method = TypeVar("_Method", bound=Callable[..., Any])


class OperationRefused(Exception):
    """An operation that does not apply. It changed nothing."""


class RenderNotFound(OperationRefused):
    """There is no render with this id."""

    def __init__(self, render_id: str) -> None:
        super().__init__(f"Render not found: {render_id}.")
        self.render_id = render_id


class WrongState(OperationRefused):
    """The render is not in one of the states that the operation needs. `rule` says which, in words."""

    def __init__(self, state: str, allowed: Collection[str], rule: str) -> None:
        super().__init__(f"The render is {state}: {rule}.")
        self.state, self.allowed, self.rule = state, tuple(allowed), rule


class NewerRecord(OperationRefused):
    """A newer version wrote the record; this program does not know what the operation would do to it."""

    def __init__(self, needs: str) -> None:
        super().__init__(
            f"A newer version of Renderline wrote the record (version {needs}; this program handles up to "
            f"{version_of(LEVEL)}): use a gateway or a command line of that version."
        )
        self.needs = needs


class HookNotFound(OperationRefused):
    """The render has no hook with this number; it has `count`, numbered from 0."""

    def __init__(self, count: int) -> None:
        super().__init__(f"The render has {count} hooks." if count != 1 else "The render has 1 hook.")
        self.count = count


class HookNotDead(OperationRefused):
    """The hook is not in the dead-letter list: it has another `state`, or was discarded."""

    def __init__(self, state: str, *, render_state: str) -> None:
        super().__init__(f"The hook is not a dead letter: it is {state}.")
        self.state, self.render_state = state, render_state


class NoDeadHook(OperationRefused):
    """None of the render's hooks is in the dead-letter list."""

    def __init__(self) -> None:
        super().__init__("The render has no dead-lettered hook.")


class NotPermitted(OperationRefused):
    """The operation concerns every tenant, and the actor acts for one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} concerns every tenant: it needs an API key with the scope operator.")


class ProjectNotAllowed(OperationRefused):
    """The vendor project may not be given to a render of this tenant."""

    def __init__(self, project_id: str, tenant: str) -> None:
        super().__init__(f"Project {project_id} is not known to be one that tenant {tenant} may use.")
        self.project_id = project_id


class AccountNotAllowed(OperationRefused):
    """The render is for a vendor account that the actor may not use, and the operation would spend its credits."""

    def __init__(self, name: str, allowed: Collection[str]) -> None:
        may = ", ".join(sorted(allowed)) or "none"
        super().__init__(f"This is a render for the account {name}; the API key may use {may}.")


class AccountNotFound(OperationRefused):
    """No account of this name is configured here or known to a live worker. `known` are the valid names."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        self.name, self.known = name, sorted(known)
        super().__init__(f"Account not found: {name}; known: {', '.join(self.known)}.")


@dataclass(frozen=True)
class Cancellation:
    """A canceled render, and the fate of its project at the vendor."""

    record: Record
    project: Literal["untouched", "none", "deleted", "kept"] = "untouched"
    """`untouched`: deletion was not requested; `none`: there was no project; `deleted`; `kept`: still there."""
    why: str = ""
    """Why the project was kept."""


def _audited(what: str) -> Callable[[_Method], _Method]:
    """Note every call of an operation in the audit trail: what was done, to what, and by whom."""

    def decorate(method: _Method) -> _Method:
        @wraps(method)
        def noted(self: Operations, *about: Any, actor: Actor, **options: Any) -> Any:
            target = f"{what} {'/'.join(map(str, about))}"
            with Audit(self.ledger.redis, prefix=self.ledger.prefix).noting(
                method.__name__, actor, target, refusals=OperationRefused
            ):
                done = method(self, *about, actor=actor, **options)
            if what != "account":
                name = " ".join((method.__name__, *(f"hook {index}" for index in about[1:] if what == "hook")))
                Timeline(self.ledger).operation(str(about[0]), name, by=str(actor))
            return done

        return cast("_Method", noted)

    return decorate


@dataclass(frozen=True)
class Operations:
    """The operations on renders, hooks and accounts. To an actor of one tenant the renders of the others do not exist.

    `accounts` are the names that `pause` and `resume` take; none: any name. `clients` are the vendor clients by account
    with which `cancel` deletes projects. Every method raises `redis.RedisError` if the ledger cannot be reached.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    accounts: Collection[str]
    clients: Mapping[str, AccountClients] | None = None
    tenants: Tenants = field(default_factory=Tenants)

    # -- renders

    def record(self, render_id: str, *, actor: Actor) -> Record:
        """Return the public record of a render; raises `RenderNotFound`, also for one that the actor does not see."""
        self._check_owner(render_id, actor)
        return self._record(render_id)

    @_audited("render")
    def cancel(self, render_id: str, *, actor: Actor, delete_project: bool = False) -> Cancellation:
        """Cancel a render that has not ended; safe to repeat. Raises `RenderNotFound` or `WrongState`.

        Before its submission nothing is sent to the vendor. Afterwards it is no longer polled. Of its hooks only those
        run that asked for `render.canceled`. The vendor has no cancel: it finishes and charges what it has begun.
        `delete_project` deletes the vendor's project as well; a fault of the vendor is part of the result.
        """
        self._check_subject(render_id, actor)
        if self._steps.cancel(render_id, by=_who(actor)) != State.CANCELED:
            self._refuse(render_id, _NOT_ENDED, "only one that has not ended can be canceled")
        record = self._record(render_id)
        self._ended(render_id)
        if not delete_project:
            return Cancellation(record)
        project, why = self._delete_project(record)
        return Cancellation(record, project, why)

    @_audited("render")
    def retry(self, render_id: str, *, actor: Actor) -> Record:
        """Start a failed or expired render anew in the same record.

        Raises `RenderNotFound`, `WrongState`, `AccountNotAllowed`, or `QuotaExceeded`: a retry counts as a render of
        its tenant. The attempt that ended is kept in the record's history. What an earlier paid stage of its plan made
        is used again.
        """
        self._check_subject(render_id, actor)
        self._check_spending(render_id, actor)
        turn = self._steps.retry(
            render_id, quota_of=lambda tenant: Quota.of(self.tenants.of(tenant)), resume_at=_resume_at
        )
        if not turn and self._record(render_id)["forgotten"]:
            self._refuse(render_id, (), "it was forgotten, so nothing is left that could be retried")
        if not turn:
            self._refuse(render_id, (State.FAILED, State.EXPIRED), "only a failed or expired one can be retried")
        return self._submitted(render_id, now=turn == "due")

    @_audited("render")
    def hold(self, render_id: str, *, actor: Actor, reason: str = "") -> Record:
        """Hold an accepted render: it is not submitted until `release`. It takes no slot, and no place of its tenant's
        quota in flight.

        `reason` is kept in the record, on one line of at most 200 characters. Safe to repeat: the first hold stays.
        Raises `RenderNotFound`, or `WrongState` for one whose submission has begun.
        """
        self._check_subject(render_id, actor)
        state = self._steps.hold(render_id, by=_who(actor), reason=_one_line(reason))
        if state not in (State.ACCEPTED, HELD):
            self._refuse(render_id, (State.ACCEPTED,), _HOLD_RULES.get(state, _HOLD_RULE))
        # Its place in the queue is free.
        self.dispatcher.unpark()
        return self._record(render_id)

    @_audited("render")
    def release(self, render_id: str, *, actor: Actor) -> Record:
        """Let a held render be submitted. Raises `RenderNotFound`, or `WrongState` for one that is not held."""
        self._check_subject(render_id, actor)
        turn = self._steps.release(render_id)
        if not turn:
            self._refuse(render_id, (State.ACCEPTED,), "it is not held, so there is nothing to release")
        return self._submitted(render_id, now=turn == "due")

    @_audited("render")
    def adopt(self, render_id: str, project_id: str, *, actor: Actor) -> Record:
        """Set the vendor project of an unconfirmed render, which goes on as rendering.

        Raises `RenderNotFound`, `WrongState`, or `ProjectNotAllowed` for a project of another tenant.
        """
        self._check_subject(render_id, actor)
        self._check_project(render_id, project_id, actor)
        adopted, wake = self._steps.adopt(render_id, project_id)
        if not adopted:
            self._refuse(render_id, _UNCONFIRMED, "only an unconfirmed one can be given a project")
        record = self._record(render_id)
        self.dispatcher.poll(wake)
        return record

    @_audited("render")
    def resubmit(self, render_id: str, *, actor: Actor) -> Record:
        """Repeat the paid call of an unconfirmed render that was never started.

        Raises `RenderNotFound`, `WrongState` or `AccountNotAllowed`.
        """
        self._check_subject(render_id, actor)
        self._check_spending(render_id, actor)
        turn = self._steps.resubmit(render_id)
        if not turn:
            self._refuse(render_id, _UNCONFIRMED, "only an unconfirmed one can be submitted again")
        return self._submitted(render_id, now=turn == "due")

    @_audited("render")
    def fail(self, render_id: str, *, message: str, actor: Actor) -> Record:
        """Fail an unconfirmed render; its hooks run, and it can be retried.

        Raises `RenderNotFound` or `WrongState`: `cancel` ends a render in any other state.
        """
        self._check_subject(render_id, actor)
        state = self._steps.give_up(render_id, message=message)
        if state != State.UNCONFIRMED:
            raise WrongState(state, _UNCONFIRMED, _FAIL_RULE) if state else RenderNotFound(render_id)
        record = self._record(render_id)
        self._ended(render_id)
        return record

    # -- hooks

    @_audited("hook")
    def replay(self, render_id: str, index: int, *, actor: Actor) -> Record:
        """Deliver a dead-lettered hook again, under the same webhook id.

        Raises `RenderNotFound`, `HookNotFound` or `HookNotDead`.
        """
        self._check_subject(render_id, actor)
        if not self._steps.replay(render_id, index):
            self._refuse_hook(render_id, index)
        record = self._record(render_id)
        self.dispatcher.hooks(render_id)
        return record

    def dead_hooks(self, records: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        """Return for each record the numbers of its hooks that are in the dead-letter list."""
        return self._steps.dead_hooks(records)

    def replay_all(self, render_id: str, *, actor: Actor) -> Record:
        """Deliver every dead-lettered hook of a render again. Raises `RenderNotFound`, or `NoDeadHook`."""
        record = self.record(render_id, actor=actor)
        (dead,) = self.dead_hooks([record])
        if not dead:
            raise NoDeadHook
        for index in dead:
            record = self.replay(render_id, index, actor=actor)
        return record

    @_audited("hook")
    def discard(self, render_id: str, index: int, *, actor: Actor) -> Record:
        """Take a hook off the dead-letter list without delivering it; the render stays undelivered.

        Raises `RenderNotFound`, `HookNotFound` or `HookNotDead`.
        """
        self._check_subject(render_id, actor)
        if not self._steps.discard(render_id, index):
            self._refuse_hook(render_id, index)
        return self._record(render_id)

    # -- accounts

    def account(self, account: str, *, actor: Actor) -> dict[str, Any]:
        """Return the state of an account (`renderline.ledger.AccountReports`): what holds it back, slots, pace, token.

        Raises `AccountNotFound`, or `NotPermitted` for an actor of one tenant among several: it would show the work of
        the others.
        """
        self._check_account(account, actor, what="The state of an account")
        if actor.accounts is not None and account not in actor.accounts:
            raise AccountNotFound(account, actor.accounts)
        report = AccountReports(self.ledger, kinds=_TIMED).of(account)
        counts: dict[tuple[str, str], int] = {}
        for total in Statistics(self.ledger).totals():
            if total.account == account:
                counts[total.state, total.kind] = counts.get((total.state, total.kind), 0) + total.count
        renders = [{"state": state, "kind": kind, "count": count} for (state, kind), count in sorted(counts.items())]
        return {**report, "renders": renders}

    @_audited("account")
    def pause(self, account: str, *, actor: Actor) -> None:
        """Submit nothing more for an account until it is resumed; renders at the vendor are still polled.

        Raises `AccountNotFound`, or `NotPermitted` for an actor of one tenant among several.
        """
        self._check_account(account, actor)
        self._steps.pause(account)

    @_audited("account")
    def resume(self, account: str, *, actor: Actor) -> bool:
        """Let an account go on; returns whether anything held it back. Raises `AccountNotFound`, or `NotPermitted`
        for an actor of one tenant among several.

        Lifts a pause, a `Retry-After` of the vendor, an open circuit, and a hold. Parked renders go on within seconds.
        """
        self._check_account(account, actor)
        return self._steps.resume(account)

    # -- shared

    @property
    def _steps(self) -> Commands:
        return Commands(self.ledger)

    def _record(self, render_id: str) -> Record:
        record = self.ledger.record(render_id)
        if record is None:
            raise RenderNotFound(render_id)
        return record

    def _check_owner(self, render_id: str, actor: Actor) -> None:
        """Raise `RenderNotFound` for a render of a tenant that the actor does not see, as for one that is not there."""
        # Nothing else of the render is read first, so that it takes as long for a foreign render as for none. A tenant
        # can derive the id of another's idempotency key, and would learn from the time whether it was used.
        if actor.tenant is not None and self.ledger.tenant_of(render_id) != actor.tenant:
            raise RenderNotFound(render_id)

    def _check_subject(self, render_id: str, actor: Actor) -> None:
        """Raise `RenderNotFound` as `_check_owner` does, or `NewerRecord` for one that this program leaves alone."""
        self._check_owner(render_id, actor)
        if needs := self.ledger.newer_version(render_id):
            raise NewerRecord(needs)

    def _check_spending(self, render_id: str, actor: Actor) -> None:
        """Raise `AccountNotAllowed` if a request of the actor could not name the render's account either."""
        # The policy of a tenant binds its keys, not an operator.
        policy = self.tenants.of(actor.tenant) if actor.tenant else Tenant(name=DEFAULT)
        if actor.accounts is None and policy.accounts is None:
            return
        account = self._record(render_id)["account"]
        if not actor.allowed([account], policy):
            raise AccountNotAllowed(account, actor.allowed(self.accounts, policy) or actor.accounts or ())

    def _check_project(self, render_id: str, project_id: str, actor: Actor) -> None:
        record = self._record(render_id)
        tenant = self.tenants.of(record["tenant"])
        made_by = self.ledger.project_tenant(record["account"], project_id)
        # An actor for all tenants may give a tenant a project that no render is known to have made.
        if not tenant.may_name_project(project_id, made_by) and not (made_by is None and actor.tenant is None):
            raise ProjectNotAllowed(project_id, tenant.name)

    def _submitted(self, render_id: str, *, now: bool) -> Record:
        record = self._record(render_id)
        if now:
            self.dispatcher.submit(render_id, record["priority"])
        return record

    def _ended(self, render_id: str) -> None:
        self.dispatcher.hooks(render_id)
        self.dispatcher.unpark()

    def _refuse(self, render_id: str, allowed: Collection[str], rule: str) -> NoReturn:
        raise WrongState(self._record(render_id)["state"], allowed, rule)

    def _refuse_hook(self, render_id: str, index: int) -> NoReturn:
        record = self._record(render_id)
        hooks = record["hooks"]
        if index >= len(hooks):
            raise HookNotFound(len(hooks))
        state = hooks[index]["state"]
        raise HookNotDead("discarded" if state == "dead" else state, render_state=record["state"])

    def _check_account(self, account: str, actor: Actor, *, what: str = "Pausing or resuming an account") -> None:
        if actor.tenant is not None and (self.tenants.several or actor.tenant != DEFAULT or self.ledger.tenants()):
            raise NotPermitted(what)
        # An account that was paused, and then removed from the settings, can still be resumed.
        if self.accounts and account not in self.accounts and account not in self._steps.paused():
            raise AccountNotFound(account, self.accounts)

    def _delete_project(self, record: Record) -> tuple[Literal["none", "deleted", "kept"], str]:
        kind, account = KINDS[record["kind"]], record["account"]
        if not kind.owns_project:
            # A project that existed before us belongs to the caller, and the v2 API cannot delete one.
            return "kept", f"a render of kind {kind.name} has no project of its own to delete"
        if State.SUBMITTING not in record["times"]:
            return "none", ""
        clients = (self.clients or {}).get(account)
        if clients is None:
            return "kept", f"account {account!r} is not configured here"
        (draft,) = self.ledger.drafts([record["id"]])
        try:
            with calls_for(record["id"], record["attempt"]):
                # A call whose answer was lost may have made a project.
                found = record["project_id"] or find_by_name(clients, record["id"], record["attempt"], draft)
                if not found:
                    return "none", ""
                clients.use_v3().delete_projects([found])
        except ProjectMissing:
            pass
        except (StudioFault, LookupError) as fault:
            log.warning("project not deleted", render_id=record["id"], fault=str(fault))
            return "kept", str(fault)
        return "deleted", ""


_TIMED = tuple(
    f"{kind.name}.{stage}" if stage else kind.name
    for kind in KINDS.values()
    for stage in ("", *sorted({stage.name for stage in kind.stages if stage.poll}))
)
"""The kinds, and their stages, whose durations are recorded."""


def _one_line(text: str) -> str:
    """Return a text on one line, without control characters, shortened to 200 characters."""
    line = "".join(one if one.isprintable() else " " for one in text[:1000])
    return " ".join(line.split())[:_LONGEST_REASON]


def _who(actor: Actor) -> str:
    """Return what a held render says about who holds it: the name of the API key, or of the user at a terminal."""
    name = _one_line(actor.name if actor.door != "command line" else login())[:_LONGEST_NAME]
    return name or actor.door


_LONGEST_REASON = 200
_LONGEST_NAME = 64
_HOLD_RULE = "only one that waits for its submission can be held, and this one has ended"
_HOLD_RULES: Mapping[str, str] = dict.fromkeys(
    (State.SUBMITTING, State.UNCONFIRMED, State.RENDERING),
    "only one that waits for its submission can be held; cancel ends this one, pausing the account stops further ones",
)
_NOT_ENDED = tuple(state for state in State if state not in FINAL)
_UNCONFIRMED = (State.UNCONFIRMED,)
_FAIL_RULE = "only an unconfirmed one can be given up as failed; use cancel to end another"


def _resume_at(record: Mapping[str, Any]) -> str:
    """Return the stage at which a new attempt at a render begins; empty: the first of its plan."""
    kind = KINDS.get(record["kind"])
    return kind.resumes_at(record["stage"] or "") if kind and record["project_id"] else ""
