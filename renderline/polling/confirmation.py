"""Confirms or revokes a render whose paid call has an unknown outcome.

The call may wait in the vendor's queue for minutes before it runs. So polls look for evidence until a window has
passed. Afterwards the draft is deleted, and the deletion checked, so that a late call finds nothing to render. Only
then is another draft made and exported. A project that is not ours to delete stays `unconfirmed`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

import structlog

from renderline.accounts.clients import AccountClients
from renderline.http import boottime, sent_by
from renderline.kinds import KINDS, started_since
from renderline.ledger import DuePoll, Ledger, PollResult
from renderline.polling.evidence import StartedProjects, carries_name, find_project, read_project, shows_start
from renderline.polling.policy import PollPolicy
from renderline.studio import ProjectMissing

log = structlog.get_logger(__name__)

LIST_EVERY = 4
"""Inside the window one of so many polls reads the project list too, which costs more than the other reads."""
REVOKING_INTERVAL = 1.0
"""The most seconds between two polls of a deleted draft, so that a lagging read does not hide a start."""


@dataclass(frozen=True)
class Confirmation:
    """Looks for evidence that unconfirmed renders were started, and decides what follows.

    `window` is for how many seconds after the announcement of the paid call evidence is awaited before a draft is
    revoked; `lease` for how long the poller has its claim. After `resubmit_after` seconds without evidence a render may
    be submitted again although the first call cannot be ruled out (None: never).
    """

    ledger: Ledger
    policy: PollPolicy
    window: float
    lease: float
    resubmit_after: float | None = None
    _started: StartedProjects = field(default_factory=StartedProjects, repr=False)

    def confirm(self, clients: AccountClients, due: DuePoll, *, offset: float) -> PollResult:
        """Read the vendor's evidence about an unconfirmed render and decide; raises `StudioFault`.

        `offset` is by how many seconds the ledger's clock is ahead of this process' monotonic one.
        """
        kind = KINDS[due.kind]
        if due.project_id is None and due.resubmit_at is not None:
            return self._of_restored(clients, due, due.resubmit_at, offset)
        if due.project_id is None or kind.inspect is None or kind.followed(due.stage).poll:
            return self._without_project(clients, due, offset)
        if due.baseline is not None or not kind.owns_project:
            return self._of_another(clients, due, due.project_id, offset)
        return self._of_draft(clients, due, due.project_id, offset)

    def _without_project(self, clients: AccountClients, due: DuePoll, offset: float) -> PollResult:
        found = find_project(clients, due)
        if found:
            return PollResult(due.id, due.epoch, "started", poll_in=self.policy.min_interval, project_id=found)
        why = "the project list does not show it" if carries_name(due) else "this call leaves no trace at the vendor"
        return self._keep_waiting(due, offset, why=why)

    def _of_restored(self, clients: AccountClients, due: DuePoll, resubmit_at: float, offset: float) -> PollResult:
        """Decide about a render that a restored ledger knows as not submitted: it may have been, since the snapshot.

        The project list shows a render at the latest when it is finished. After `resubmit_at` it would show this one.
        """
        now = time.monotonic() + offset
        over = now >= resubmit_at
        since = resubmit_at - offset if over else 0.0
        found = self._started.made_for(clients, due.id, due.attempt, since=since)
        if found is None:
            if over:
                return PollResult(due.id, due.epoch, "resubmit")
            return PollResult(
                due.id, due.epoch, "wait", poll_in=min(self.policy.confirm_poll_in(now - due.since), resubmit_at - now)
            )
        if shows_start(*read_project(clients, due, found)):
            return _started(due, found, self.policy)
        # A draft that may be exported by a late call: the window decides, and then it is revoked.
        return PollResult(due.id, due.epoch, "wait", poll_in=self.policy.min_interval, project_id=found)

    def _of_another(self, clients: AccountClients, due: DuePoll, project_id: str, offset: float) -> PollResult:
        """Decide about an export of a project that existed before us, and that we may not delete."""
        inspect = KINDS[due.kind].inspect
        if inspect and started_since(inspect(clients, project_id), due.baseline):
            return _started(due, project_id, self.policy)
        return self._keep_waiting(due, offset, why="its project shows nothing new, and is not ours to delete")

    def _of_draft(self, clients: AccountClients, due: DuePoll, project_id: str, offset: float) -> PollResult:
        """Decide about the export of a draft of ours: started, poll again, to be revoked, or revoked."""
        now = time.monotonic() + offset
        ends = due.intent_at + self.window
        over = now >= ends
        # The last reads must be newer than the end of the window.
        listed = over or due.untouched % LIST_EVERY == LIST_EVERY - 1
        if listed and not due.revoking and project_id in self._started.of(clients, since=ends - offset if over else 0):
            return _started(due, project_id, self.policy)
        progress, project = read_project(clients, due, project_id)
        if shows_start(progress, project):
            return _started(due, project_id, self.policy)
        if project is None and due.revoking:
            return _revoked(due, project_id)
        if project is None and over:
            raise ProjectMissing("the vendor no longer knows the draft that was exported")
        if now >= due.deadline_at:
            return _expired(due, "its project shows no sign of a start")
        if over or due.revoking:
            return self._revoke(clients, due, project_id, offset)
        return PollResult(due.id, due.epoch, "untouched", poll_in=self._interval(due, now))

    def _revoke(self, clients: AccountClients, due: DuePoll, project_id: str, offset: float) -> PollResult:
        """Delete a draft without sign of a start, and check the deletion."""
        # A later poll may have seen a start, and a late deletion would hit a render.
        sent_until = boottime() + self.lease / 2
        if not self.ledger.begin_revocation(due.id, epoch=due.epoch, project_id=project_id):
            return PollResult(due.id, due.epoch, "wait", poll_in=self.policy.min_interval)
        if not due.revoking:
            log.warning(
                "no sign of an export: its draft is revoked", render_id=due.id, tenant=due.tenant, project_id=project_id
            )
        with sent_by(sent_until), contextlib.suppress(ProjectMissing):
            clients.use_v3().delete_projects([project_id])
        progress, project = read_project(clients, due, project_id)
        if shows_start(progress, project):
            return _started(due, project_id, self.policy)
        if project is None:
            return _revoked(due, project_id)
        if due.revoking and self._may_resubmit(due, time.monotonic() + offset):
            return PollResult(due.id, due.epoch, "resubmit")
        return PollResult(due.id, due.epoch, "wait", poll_in=min(self.policy.min_interval, REVOKING_INTERVAL))

    def _interval(self, due: DuePoll, now: float) -> float:
        """Return the seconds until the next poll inside the window, the last one at its end."""
        wait = self.policy.confirm_poll_in(now - due.since)
        return max(0.0, min(wait, due.intent_at + self.window - now, due.deadline_at - now))

    def _may_resubmit(self, due: DuePoll, now: float) -> bool:
        """Return whether the operator's setting allows another submission although the draft may still exist."""
        return self.resubmit_after is not None and now - due.intent_at >= max(self.resubmit_after, 2 * self.window)

    def _keep_waiting(self, due: DuePoll, offset: float, *, why: str) -> PollResult:
        now = time.monotonic() + offset
        return keep_waiting(due, now=now, policy=self.policy, why=why, resubmit_after=self.resubmit_after)


def keep_waiting(
    due: DuePoll, *, now: float, policy: PollPolicy, why: str, resubmit_after: float | None = None
) -> PollResult:
    """Decide about a render without evidence: poll again, less and less often, until its deadline.

    It is submitted again only after `resubmit_after` seconds without evidence, if the operator set that.
    """
    if now >= due.deadline_at:
        return _expired(due, why)
    if resubmit_after is not None and now - due.intent_at >= resubmit_after:
        return PollResult(due.id, due.epoch, "resubmit")
    wait = min(policy.confirm_poll_in(now - due.since), max(0.0, due.deadline_at - now))
    if resubmit_after is not None:
        wait = min(wait, max(0.0, due.intent_at + resubmit_after - now))
    return PollResult(due.id, due.epoch, "wait", poll_in=wait)


def _started(due: DuePoll, project_id: str, policy: PollPolicy) -> PollResult:
    if due.revoking:
        log.error(
            "export seen on a draft that is being deleted: it may be paid for in vain",
            render_id=due.id,
            tenant=due.tenant,
            project_id=project_id,
        )
    return PollResult(due.id, due.epoch, "started", poll_in=policy.min_interval, project_id=project_id)


def _revoked(due: DuePoll, project_id: str) -> PollResult:
    log.info("revoked draft is gone, another one is made", render_id=due.id, tenant=due.tenant, project_id=project_id)
    return PollResult(due.id, due.epoch, "revoked", project_id=project_id)


def _expired(due: DuePoll, why: str) -> PollResult:
    message = f"the outcome of its paid call is unknown, and no evidence came before its deadline: {why}"
    return PollResult(due.id, due.epoch, "expired", code="unconfirmed", message=message, origin="renderline")
