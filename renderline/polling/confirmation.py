"""Settling a render of whose paid call nobody saw the outcome: looked for, and revoked before it is repeated.

The call may stand in the vendor's queue for minutes and be carried out then. So evidence is looked for until a window
has passed. Afterwards a draft of ours is deleted and seen to be gone, so that the late call finds nothing to render;
only then is another draft made and exported. What is not ours to delete stays `unconfirmed`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from renderline.accounts.clients import AccountClients
from renderline.drafts import find_by_name
from renderline.kinds import KINDS, started_since
from renderline.ledger import DuePoll, Ledger, PollResult
from renderline.polling.policy import PollPolicy
from renderline.studio import (
    PayloadRefused,
    Progress,
    Project,
    ProjectMissing,
    ProjectSummary,
    VendorUnavailable,
    moment,
    sent_by,
)

log = structlog.get_logger(__name__)

LIST_EVERY = 4
"""Every so many looks inside the window the project list is read too, which costs more than the other reads."""
REVOKING_EVERY = 1.0
"""Most seconds between two looks at a draft that was deleted: a start that a lagging read shows must not be missed."""
_LIST_KEPT = 5.0
"""Seconds for which a list that was read serves other renders of the account."""
_RENDERED = frozenset({"exported", "complete"})
"""States in the project list that say that a project was rendered, whether or not its URL is there yet."""


class _List(NamedTuple):
    """What a project list showed: when it was asked for (monotonic), and which projects had been started."""

    at: float
    started: frozenset[str]


@dataclass(frozen=True)
class Confirmation:
    """Looks for evidence of unconfirmed renders and decides what follows from it.

    `window` is for how many seconds after the announcement of the paid call evidence is looked for before a draft is
    revoked; `lease` for how long a look is the poller's own. After `resubmit_after` seconds without evidence a render
    may be submitted again whatever cannot be proved (None: never).
    """

    ledger: Ledger
    policy: PollPolicy
    window: float
    lease: float
    resubmit_after: float | None = None
    _lists: dict[str, _List] = field(default_factory=dict, repr=False)

    def settle(self, clients: AccountClients, look: DuePoll, *, offset: float) -> PollResult:
        """Look at the vendor for evidence of an unconfirmed render and judge it; raises `StudioFault`.

        `offset` is what the ledger's clock is ahead of this process' monotonic one, in seconds.
        """
        if look.project_id is None or KINDS[look.kind].inspect is None:
            return self._without_project(clients, look, offset)
        if look.baseline is not None or not KINDS[look.kind].disposable:
            return self._of_another(clients, look, look.project_id, offset)
        return self._of_draft(clients, look, look.project_id, offset)

    def _without_project(self, clients: AccountClients, look: DuePoll, offset: float) -> PollResult:
        found = named(clients, look)
        if found:
            return PollResult(look.id, look.epoch, "started", look_in=self.policy.least, project_id=found)
        why = "the project list does not show it" if nameable(look) else "this call leaves no trace to be looked for"
        return self._unsettled(look, offset, why=why)

    def _of_another(self, clients: AccountClients, look: DuePoll, project_id: str, offset: float) -> PollResult:
        """Judge an export of a project that was there before us, and is not ours to delete."""
        if started_since(clients.use_v3().get_project(project_id), look.baseline):
            return _started(look, project_id, self.policy)
        return self._unsettled(look, offset, why="its project shows nothing new, and is not ours to delete")

    def _of_draft(self, clients: AccountClients, look: DuePoll, project_id: str, offset: float) -> PollResult:
        """Judge the export of a draft of ours: started, to be looked for further, to be revoked, or revoked."""
        now = time.monotonic() + offset
        ends = look.intent_at + self.window
        over = now >= ends
        # What the last reads show must not be older than the end of the window.
        listed = over or look.untouched % LIST_EVERY == LIST_EVERY - 1
        if listed and not look.revoking and project_id in self._listed(clients, since=ends - offset if over else 0.0):
            return _started(look, project_id, self.policy)
        progress, project = _read(clients, look, project_id)
        if shows_start(progress, project):
            return _started(look, project_id, self.policy)
        if project is None and look.revoking:
            return _revoked(look, project_id)
        if project is None and over:
            raise ProjectMissing("the vendor no longer knows the draft that was exported")
        if now >= look.deadline_at:
            return _expired(look, "its project shows no sign of a start")
        if over or look.revoking:
            return self._revoke(clients, look, project_id, offset)
        return PollResult(look.id, look.epoch, "untouched", look_in=self._pause(look, now))

    def _revoke(self, clients: AccountClients, look: DuePoll, project_id: str, offset: float) -> PollResult:
        """Delete a draft of which no start is to be seen, and see whether it is gone."""
        # A look that was overtaken may have found a start: a deletion that comes late would hit a render.
        sent_until = moment() + self.lease / 2
        if not self.ledger.announce_revocation(look.id, epoch=look.epoch, project_id=project_id):
            return PollResult(look.id, look.epoch, "wait", look_in=self.policy.least)
        if not look.revoking:
            log.warning("no sign of an export: its draft is revoked", render_id=look.id, project_id=project_id)
        with sent_by(sent_until), contextlib.suppress(ProjectMissing):
            clients.use_v3().delete_projects([project_id])
        progress, project = _read(clients, look, project_id)
        if shows_start(progress, project):
            return _started(look, project_id, self.policy)
        if project is None:
            return _revoked(look, project_id)
        if look.revoking and self._allowed(look, time.monotonic() + offset):
            return PollResult(look.id, look.epoch, "resubmit")
        return PollResult(look.id, look.epoch, "wait", look_in=min(self.policy.least, REVOKING_EVERY))

    def _listed(self, clients: AccountClients, *, since: float) -> frozenset[str]:
        """Return the projects that the vendor's list shows as started, read after `since` (monotonic)."""
        kept = self._lists.get(clients.name)
        if kept is None or kept.at < max(since, time.monotonic() - _LIST_KEPT):
            at, rows = time.monotonic(), []
            # An account that has no list has no evidence in it.
            with contextlib.suppress(PayloadRefused):
                rows = clients.use_v3().list_projects()
            kept = _List(at, frozenset(row.id for row in rows if _rendered(row)))
            self._lists[clients.name] = kept
        return kept.started

    def _pause(self, look: DuePoll, now: float) -> float:
        """Return the seconds to the next look inside the window: less and less often, and at its end."""
        wait = min(max(self.policy.settle, (now - look.since) * 0.5), self.policy.most)
        return max(0.0, min(wait, look.intent_at + self.window - now, look.deadline_at - now))

    def _allowed(self, look: DuePoll, now: float) -> bool:
        """Return whether the operator's setting outweighs a draft that cannot be seen to be gone."""
        return self.resubmit_after is not None and now - look.intent_at >= max(self.resubmit_after, 2 * self.window)

    def _unsettled(self, look: DuePoll, offset: float, *, why: str) -> PollResult:
        now = time.monotonic() + offset
        return unsettled(look, now=now, policy=self.policy, why=why, resubmit_after=self.resubmit_after)


def _read(clients: AccountClients, look: DuePoll, project_id: str) -> tuple[Progress | None, Project | None]:
    """Return what the vendor answers about a project's progress and the project itself; None where it knows none."""
    kind = KINDS[look.kind]
    progress = project = None
    try:
        progress = kind.look(clients, project_id)
    except PayloadRefused:
        pass  # a draft has no progress to tell
    except VendorUnavailable as fault:
        if fault.status != 200:
            raise
    if kind.inspect:
        with contextlib.suppress(ProjectMissing):
            project = kind.inspect(clients, project_id)
    return progress, project


def shows_start(progress: Progress | None, project: Project | None) -> bool:
    """Return whether any of what the vendor answers about a draft of ours is a sign that its render has begun."""
    if progress and (progress.progress > 0 or progress.download_url):
        return True
    return project is not None and started_since(project, None)


def _rendered(row: ProjectSummary) -> bool:
    return bool(row.download_url) or (row.state or "").lower() in _RENDERED


def _started(look: DuePoll, project_id: str, policy: PollPolicy) -> PollResult:
    if look.revoking:
        log.error(
            "an export shows on a draft whose deletion was asked for already: it may be paid for in vain",
            render_id=look.id,
            project_id=project_id,
        )
    return PollResult(look.id, look.epoch, "started", look_in=policy.least, project_id=project_id)


def _revoked(look: DuePoll, project_id: str) -> PollResult:
    log.info("revoked draft is gone, another one is made", render_id=look.id, project_id=project_id)
    return PollResult(look.id, look.epoch, "revoked", project_id=project_id)


def _expired(look: DuePoll, why: str) -> PollResult:
    message = f"nobody saw whether the vendor accepted it, and no evidence came before its deadline: {why}"
    return PollResult(look.id, look.epoch, "expired", code="unconfirmed", message=message, origin="renderline")


def nameable(look: DuePoll) -> bool:
    """Return whether the paid call itself makes a project that carries the render's tag."""
    kind = KINDS[look.kind]
    return any(stage.named and stage.paid for stage in (*kind.two_phase, *kind.direct))


def named(clients: AccountClients, look: DuePoll) -> str | None:
    """Return the project that carries the render's tag, None if none is shown or this kind leaves no such trace."""
    return find_by_name(clients, look.id, look.attempt, look.draft) if nameable(look) else None


def unsettled(
    look: DuePoll, *, now: float, policy: PollPolicy, why: str, resubmit_after: float | None = None
) -> PollResult:
    """Judge a render of which no evidence was found: look again, less and less often, until its deadline.

    Only where the operator said after how many seconds without evidence (`resubmit_after`) is it submitted again.
    """
    if now >= look.deadline_at:
        return _expired(look, why)
    if resubmit_after is not None and now - look.intent_at >= resubmit_after:
        return PollResult(look.id, look.epoch, "resubmit")
    wait = min(max(policy.settle, (now - look.since) * 0.5), policy.most, max(0.0, look.deadline_at - now))
    if resubmit_after is not None:
        wait = min(wait, max(0.0, look.intent_at + resubmit_after - now))
    return PollResult(look.id, look.epoch, "wait", look_in=wait)
