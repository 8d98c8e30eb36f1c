"""Polls one render: asks the vendor about it and returns the poll result."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace

import structlog

from renderline.accounts.clients import AccountClients
from renderline.accounts.permit import claimed_work
from renderline.kinds import KINDS
from renderline.ledger import DuePoll, PollResult
from renderline.observer import NOBODY, Observer, Poll, calls_for
from renderline.polling import decisions, download_url
from renderline.polling.confirmation import Confirmation, keep_waiting
from renderline.polling.durations import Durations
from renderline.polling.evidence import find_project
from renderline.polling.policy import PollPolicy
from renderline.polling.project_list import ProjectList
from renderline.studio import CredentialsRefused, Progress, StudioFault

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RenderPoll:
    """Polls renders one by one, for as long as their claim (`lease` seconds) lasts."""

    durations: Durations
    policy: PollPolicy
    lease: float
    confirmation: Confirmation
    project_list: ProjectList | None = None
    observer: Observer = NOBODY

    def poll(self, clients: AccountClients, due: DuePoll, offset: float, claimed_at: float) -> PollResult:
        """Return the result of one poll; a fault or a bug becomes a result too.

        `offset` is by how many seconds the ledger's clock is ahead of this process' monotonic one.
        """
        began = time.monotonic()
        about = structlog.contextvars.bound_contextvars(render_id=due.id, **due.log_labels)
        with calls_for(due.id, due.attempt, polling=True) as purpose, about:
            result = self._poll(clients, due, offset, claimed_at)
        poll = Poll(
            account=clients.name,
            kind=due.kind,
            render_id=due.id,
            attempt=due.attempt,
            state=due.state,
            status=result.status,
            lag=decisions.done_for(due, now=time.monotonic() + offset) if result.status == "done" else None,
            seconds=time.monotonic() - began,
            calls=tuple(purpose.calls),
        )
        self.observer.poll(poll)
        return result

    @claimed_work()
    def _poll(self, clients: AccountClients, due: DuePoll, offset: float, claimed_at: float) -> PollResult:
        if clients.opened_since(claimed_at) or time.monotonic() > claimed_at + self.lease:
            # Claimed before the circuit opened, or claimed again by another worker: make no call.
            return PollResult(due.id, due.epoch, "dropped")
        if due.kind not in KINDS:
            # A later version accepted it; its workers take their turn.
            return PollResult(due.id, due.epoch, "dropped", poll_in=self.policy.min_interval)
        try:
            return self._decide(clients, due, offset)
        except StudioFault as fault:
            if isinstance(fault, CredentialsRefused):
                log.error("credentials refused", account=clients.name, fault=str(fault))
            now, window = time.monotonic() + offset, self.confirmation.window
            return decisions.of_fault(due, fault, now=now, window=window, policy=self.policy, jitter=random.random())
        except Exception as error:
            # A bug here must not end the other polls of the batch.
            log.exception("poll failed")
            wait = self.policy.max_interval
            return PollResult(due.id, due.epoch, "error", poll_in=wait, message=type(error).__name__)

    def _decide(self, clients: AccountClients, due: DuePoll, offset: float) -> PollResult:
        kind = KINDS[due.kind]
        if due.state == "unconfirmed":
            return self.confirmation.confirm(clients, due, offset=offset)
        project_id = due.project_id or find_project(clients, due)
        if project_id is None:
            return decisions.of_webhook(due, now=time.monotonic() + offset, policy=self.policy)
        stage = kind.followed(due.stage)
        if stage.poll:
            seen = stage.poll(clients, project_id, due.data)
            return self._of_stage(clients, due, seen, time.monotonic() + offset)
        seen = kind.poll(clients, project_id, due.data)
        if decisions.lacks_url(seen):
            seen = replace(seen, download_url=download_url.of_finished(clients, due, project_id))
        now = time.monotonic() + offset
        typical = self.durations.typical(clients.name, due.kind)
        result = decisions.of_progress(due, seen, now=now, policy=self.policy, typical=typical)
        if seen.outputs:
            return replace(result, outputs=decisions.outputs_of(seen, result))
        if result.status == "done" and due.baseline and kind.inspect and due.progress == 0:
            # It was exported anew: until something changes, the project shows the earlier render.
            project = kind.inspect(clients, project_id)
            if decisions.still_the_old_render(due, project):
                return keep_waiting(due, now=now, policy=self.policy, why="the project shows its previous render")
        if self.project_list:
            result = self.project_list.aligned(result, now=now)
        return result if due.project_id else replace(result, project_id=project_id)

    def _of_stage(self, clients: AccountClients, due: DuePoll, seen: Progress, now: float) -> PollResult:
        """Return the result of a poll of a stage that others follow, or that a draft ends with."""
        kind = KINDS[due.kind]
        stage = kind.followed(due.stage)
        typical = self.durations.typical(clients.name, due.kind, stage=stage.name)
        following = kind.after(stage, draft=due.draft_only)
        return decisions.of_stage(
            due, seen, now=now, policy=self.policy, typical=typical, following=following.name if following else None
        )
