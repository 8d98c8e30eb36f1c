"""Polls many renders with one call: the vendor's project list shows which of them are finished.

The list shows neither progress nor failure, so a render is still polled on its own now and then, and at its deadline.
If the list is too long or unreadable, every render is polled on its own for a while.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from renderline.accounts.clients import AccountClients
from renderline.accounts.permit import claimed_work
from renderline.kinds import KINDS
from renderline.ledger import DuePoll, PollResult
from renderline.polling.decisions import progress_history
from renderline.polling.policy import PollPolicy, poll_in
from renderline.studio import FINISHED_STATES, StudioFault

log = structlog.get_logger(__name__)

MIN_RENDERS = 4
"""With this many due renders, one list costs less than single polls."""
MAX_PROJECTS = 2000
"""A longer list costs more to read than it saves."""
BEAT = 2.0
"""Polls are aligned to multiples of this many shortest intervals."""
DISABLED_FOR = 600.0
"""Seconds for which a list that was too long or unreadable is not read again."""
SINGLE_POLL_EVERY = 5
"""One of so many polls of a render is a single poll: a failed render never appears as finished in the list."""


class ProjectList:
    """The list strategy (`RENDERLINE_POLL_STRATEGY=list`) for all accounts of one process."""

    def __init__(self, policy: PollPolicy) -> None:
        self._policy = policy
        self._not_before: dict[str, float] = {}

    def poll(
        self, clients: AccountClients, batch: Sequence[DuePoll], *, now: float
    ) -> tuple[list[PollResult], list[DuePoll]]:
        """Return the poll results from the list, and the renders that need a single poll."""
        listed = [due for due in batch if self._may(due, now)]
        if len(listed) < MIN_RENDERS or time.monotonic() < self._not_before.get(clients.name, 0.0):
            return [], list(batch)
        finished = self._read(clients)
        if finished is None:
            return [], list(batch)
        polled = {due.id for due in listed}
        results = [
            self.aligned(self._result(due, finished.get(str(due.project_id)), now=now), now=now) for due in listed
        ]
        return results, [due for due in batch if due.id not in polled]

    def aligned(self, result: PollResult, *, now: float) -> PollResult:
        """Return a result whose next poll is aligned with those of other renders, so that one list serves many."""
        if result.status != "wait" or result.poll_in <= 0:
            return result
        beat = self._policy.min_interval * BEAT
        return replace(result, poll_in=math.ceil((now + result.poll_in) / beat) * beat - now)

    def _may(self, due: DuePoll, now: float) -> bool:
        if due.state != "rendering" or not due.project_id or due.baseline or now >= due.deadline_at:
            return False
        kind = KINDS[due.kind]
        if kind.followed(due.stage).poll:
            return False
        return kind.inspect is not None and due.polls % SINGLE_POLL_EVERY != SINGLE_POLL_EVERY - 1

    @claimed_work()
    def _read(self, clients: AccountClients) -> dict[str, str] | None:
        try:
            projects = clients.use_v3().list_projects()
        except StudioFault as fault:
            why = str(fault)
        else:
            if len(projects) <= MAX_PROJECTS:
                return {
                    project.id: project.download_url
                    for project in projects
                    if project.download_url and (project.state or "").lower() in FINISHED_STATES
                }
            why = f"{len(projects)} projects"
        log.warning("project list not used", account=clients.name, seconds=DISABLED_FOR, why=why)
        self._not_before[clients.name] = time.monotonic() + DISABLED_FOR
        return None

    def _result(self, due: DuePoll, url: str | None, *, now: float) -> PollResult:
        if url:
            return PollResult(due.id, due.epoch, "done", progress=100.0, url=url)
        wait = poll_in(progress_history(due), policy=self._policy, now=now, deadline_at=due.deadline_at)
        return PollResult(due.id, due.epoch, "wait", poll_in=wait)
