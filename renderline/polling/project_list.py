"""Looking at many renders with one call: the vendor's project list shows which of them are finished.

It says nothing of progress or failure, so a render is still asked about itself now and then, and at its deadline. A
list that is too long, or that cannot be read, is left alone for a while: then every render is asked about itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from renderline.accounts.clients import AccountClients
from renderline.kinds import KINDS
from renderline.ledger import DuePoll, PollResult
from renderline.polling.decisions import progress_history
from renderline.polling.policy import PollPolicy, poll_in
from renderline.studio import FINISHED_STATES, StudioFault

log = structlog.get_logger(__name__)

WORTHWHILE = 4
"""Renders due at once from which on one list costs less than asking about each."""
LONGEST = 2000
"""Projects beyond which reading the list costs more than it saves."""
BEAT = 2.0
"""Looks fall on multiples of this many least delays."""
LEFT_ALONE = 600.0
"""Seconds for which a list that was too long or not understood is not read again."""
ASKED_EVERY = 5
"""Every so many looks a render is asked about itself: a failed one never appears as finished."""


class ProjectList:
    """The list strategy (`RENDERLINE_POLL_STRATEGY=list`) for all accounts of one process."""

    def __init__(self, policy: PollPolicy) -> None:
        self._policy = policy
        self._not_before: dict[str, float] = {}

    def sort(
        self, clients: AccountClients, looks: Sequence[DuePoll], *, now: float
    ) -> tuple[list[PollResult], list[DuePoll]]:
        """Return the findings that the list gives, and the looks that have to be made one by one."""
        listed = [look for look in looks if self._may(look, now)]
        if len(listed) < WORTHWHILE or time.monotonic() < self._not_before.get(clients.name, 0.0):
            return [], list(looks)
        finished = self._read(clients)
        if finished is None:
            return [], list(looks)
        asked = {look.id for look in listed}
        findings = [
            self.aligned(self._finding(look, finished.get(str(look.project_id)), now=now), now=now) for look in listed
        ]
        return findings, [look for look in looks if look.id not in asked]

    def aligned(self, finding: PollResult, *, now: float) -> PollResult:
        """Return a finding whose next look falls on a beat that renders share, so that one list serves many."""
        if finding.verdict != "wait" or finding.look_in <= 0:
            return finding
        beat = self._policy.least * BEAT
        return replace(finding, look_in=math.ceil((now + finding.look_in) / beat) * beat - now)

    def _may(self, look: DuePoll, now: float) -> bool:
        if look.state != "rendering" or not look.project_id or look.baseline or now >= look.deadline_at:
            return False
        return KINDS[look.kind].inspect is not None and look.polls % ASKED_EVERY != ASKED_EVERY - 1

    def _read(self, clients: AccountClients) -> dict[str, str] | None:
        try:
            projects = clients.use_v3().list_projects()
        except StudioFault as fault:
            why = str(fault)
        else:
            if len(projects) <= LONGEST:
                return {
                    project.id: project.download_url
                    for project in projects
                    if project.download_url and (project.state or "").lower() in FINISHED_STATES
                }
            why = f"{len(projects)} projects"
        log.warning("project list left alone", account=clients.name, seconds=LEFT_ALONE, why=why)
        self._not_before[clients.name] = time.monotonic() + LEFT_ALONE
        return None

    def _finding(self, look: DuePoll, url: str | None, *, now: float) -> PollResult:
        if url:
            return PollResult(look.id, look.epoch, "done", progress=100.0, url=url)
        wait = poll_in(progress_history(look), policy=self._policy, now=now, deadline_at=look.deadline_at)
        return PollResult(look.id, look.epoch, "wait", look_in=wait)
