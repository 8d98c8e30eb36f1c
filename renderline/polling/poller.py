"""Polling: a batch of due renders is claimed, looked at concurrently, recorded, and what moved is announced."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace

import structlog

from renderline.accounts.clients import AccountClients
from renderline.capabilities import WorkerCapabilities
from renderline.capabilities import account as account_name
from renderline.kinds import KINDS
from renderline.ledger import Batch, DuePoll, Ledger, PollResult, PumpWake
from renderline.polling import decisions, download_url
from renderline.polling.confirmation import Confirmation, named, unsettled
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.project_list import ProjectList
from renderline.polling.threads import PollThreads, Reservation
from renderline.studio import CredentialsRefused, StudioFault

log = structlog.get_logger(__name__)

Moved = Callable[[Sequence[tuple[str, str]]], None]
"""Told the (id, new state) of renders that moved, as soon as that is recorded."""

_RESERVATION = 0.25
_ELSEWHERE_IN = 1.0
"""Seconds after which a pump of an account that is not known here is tried again, by whoever takes it then."""
_NOBODY = "no worker that lives knows its account"
"""Seconds for which a pump waits for poll threads of its account that are in use."""


@dataclass(frozen=True)
class NextRun:
    """How a pump run ended: run again in `delay` seconds with `ticket`."""

    delay: float
    ticket: int


@dataclass(frozen=True)
class Poller:
    """Looks at due renders.

    `batch` renders are claimed at a time for `lease` seconds and looked at by `threads` threads of their
    account, never more than are free. What they found is
    recorded together, once all are done and every `record_every` seconds until then. A run waits at most `patience`
    seconds; looks that take longer are recorded when they end, while the pump goes on. A round waits up to `gather`
    seconds for more to fall due, unless they fill a batch. For up to `stay` seconds a pump waits here for what is due
    within `nap` seconds, since a message for each round would cost more than the looks.
    """

    ledger: Ledger
    durations: Durations
    accounts: Mapping[str, AccountClients]
    policy: PollPolicy
    lease: float
    settlement: Confirmation
    project_list: ProjectList | None = None
    """Reads the vendor's project list instead of asking about each render (`RENDERLINE_POLL_STRATEGY=list`)."""
    batch: int = 64
    threads: int = 32
    patience: float = 1.0
    record_every: float = 0.05
    gather: float = 0.0
    stay: float = 0.0
    nap: float = 1.0
    roster: WorkerCapabilities | None = None
    """Tells whether other workers know an account that is not among `accounts`."""
    _leaving: threading.Event = field(default_factory=threading.Event, repr=False)
    _pools: dict[str, PollThreads] = field(default_factory=dict, repr=False)
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(
        self, account: str, *, slot: int, ticket: int, moved: Moved, kick: Callable[[PumpWake], None]
    ) -> NextRun | None:
        """Run one pump; returns when it has to run again, or None if it is not needed any more.

        An old ticket (a message that came twice or late) does nothing.
        """
        if account not in self.accounts:
            return self._pass_on(account, slot=slot, ticket=ticket, moved=moved)
        until = time.monotonic() + self.stay
        while True:
            rest = self._run_once(account, slot=slot, ticket=ticket, moved=moved, kick=kick)
            if rest is None or rest.delay > self.nap or time.monotonic() + rest.delay >= until:
                return rest
            ticket = rest.ticket
            if self._leaving.wait(rest.delay):
                return NextRun(0.0, ticket)

    def _pass_on(self, account: str, *, slot: int, ticket: int, moved: Moved) -> NextRun | None:
        """Leave a pump to the workers that know its account; where none does, say so in what it would have polled."""
        wait = _ELSEWHERE_IN
        if self.roster is None or not self.roster.elsewhere(account_name(account)):
            wait = self.lease
            batch = self.ledger.claim_due(account, slot=slot, ticket=ticket, limit=self.batch, lease=self.lease)
            if batch is None:
                return None
            # Claimed, so that their deadlines hold.
            self._record(
                [PollResult(one.id, one.epoch, "error", look_in=wait, message=_NOBODY) for one in batch.looks], moved
            )
        rest = self.ledger.rest_pump(account, slot=slot, ticket=ticket, limit=self.batch, gather=0.0, least=wait)
        return NextRun(*rest) if rest else None

    def leave(self) -> None:
        """Have running pumps come to their end: this process stops."""
        self._leaving.set()

    def close(self) -> None:
        """Wait for the polls that are under way."""
        for threads in self._pools.values():
            threads.close()

    def _run_once(
        self, account: str, *, slot: int, ticket: int, moved: Moved, kick: Callable[[PumpWake], None]
    ) -> NextRun | None:
        # Nothing is claimed that cannot start.
        with self._threads_of(account).reserve(self.batch, patience=_RESERVATION) as threads:
            free = threads.left
            if free:
                batch = self.ledger.claim_due(account, slot=slot, ticket=ticket, limit=free, lease=self.lease)
                if batch is None:
                    return None
                if batch.more:
                    kick(batch.more)
                if batch.looks:
                    self._look_at(account, threads, batch, moved)
        rest = self.ledger.rest_pump(
            account,
            slot=slot,
            ticket=ticket,
            limit=self.batch,
            gather=self.gather,
            # While its polls hang the pump takes no thread from others.
            least=0.0 if free else 2 * self.nap,
        )
        return NextRun(*rest) if rest else None

    def _threads_of(self, account: str) -> PollThreads:
        with self._making:
            found = self._pools.get(account)
            if found is None:
                found = self._pools[account] = PollThreads(account, self.threads)
            return found

    def _look_at(self, account: str, threads: Reservation, batch: Batch, moved: Moved) -> None:
        clients = self.accounts[account]
        looks, claimed_at = batch.looks, time.monotonic()
        offset = batch.now - claimed_at
        if self.project_list:
            listing = threads.run_beside(self.project_list.sort, clients, looks, now=time.monotonic() + offset)
            try:
                findings, looks = listing.result(self.patience)
            except TimeoutError:
                # The list hangs: what it was read for is claimed again when its lease is over.
                return
            self._record(findings, moved)
        threads.keep(len(looks))
        pending = {threads.run(self._look, clients, look, offset, claimed_at) for look in looks}
        give_up = time.monotonic() + self.patience
        while pending and (left := give_up - time.monotonic()) > 0:
            done, pending = wait(pending, timeout=min(left, self.record_every))
            self._record([future.result() for future in done], moved)
        for straggler in pending:
            straggler.add_done_callback(lambda late: self._record_late(late, moved))

    def _record(self, findings: Sequence[PollResult], moved: Moved) -> None:
        changes = self.ledger.record_findings(findings)
        if changes:
            moved(changes)

    def _record_late(self, future: Future[PollResult], moved: Moved) -> None:
        if not future.cancelled():
            self._record([future.result()], moved)

    def _look(self, clients: AccountClients, look: DuePoll, offset: float, claimed_at: float) -> PollResult:
        if clients.opened_since(claimed_at) or time.monotonic() > claimed_at + self.lease:
            # Claimed before the circuit opened, or by now claimed by another: not a call for this one.
            return PollResult(look.id, look.epoch, "dropped")
        try:
            return self._judge(clients, look, offset)
        except StudioFault as fault:
            if isinstance(fault, CredentialsRefused):
                log.error("credentials refused", account=clients.name, fault=str(fault))
            now, window = time.monotonic() + offset, self.settlement.window
            return decisions.of_fault(look, fault, now=now, window=window, policy=self.policy, jitter=random.random())
        except Exception as error:
            # A bug here must not take the other looks of the batch with it: this one is tried again later.
            log.exception("look failed", render_id=look.id)
            return PollResult(look.id, look.epoch, "error", look_in=self.policy.most, message=type(error).__name__)

    def _judge(self, clients: AccountClients, look: DuePoll, offset: float) -> PollResult:
        kind = KINDS[look.kind]
        if look.state == "unconfirmed":
            return self.settlement.settle(clients, look, offset=offset)
        project_id = look.project_id or named(clients, look)
        if project_id is None:
            return decisions.of_webhook(look, now=time.monotonic() + offset, policy=self.policy)
        seen = kind.look(clients, project_id)
        if decisions.lacks_link(seen):
            seen = replace(seen, download_url=download_url.of_finished(clients, look, project_id))
        now = time.monotonic() + offset
        usual = self.durations.usual(clients.name, look.kind)
        finding = decisions.of_progress(look, seen, now=now, policy=self.policy, usual=usual)
        if finding.verdict == "done" and look.baseline and kind.inspect and look.progress == 0:
            # Exported anew: until something changed, what is finished is the render before ours.
            project = kind.inspect(clients, project_id)
            if decisions.still_the_old_render(look, project):
                return unsettled(look, now=now, policy=self.policy, why="the project shows its last render")
        if self.project_list:
            finding = self.project_list.aligned(finding, now=now)
        return finding if look.project_id else replace(finding, project_id=project_id)
