"""Runs poll pumps: claims a batch of due renders, polls them concurrently, and records the results."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import cached_property

import structlog

from renderline.accounts.clients import AccountClients
from renderline.capabilities import WorkerCapabilities
from renderline.capabilities import account as account_name
from renderline.dispatcher import Dispatcher
from renderline.ledger import Batch, Ledger, PollResult, log_failed
from renderline.polling.confirmation import Confirmation
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.project_list import ProjectList
from renderline.polling.render_poll import RenderPoll
from renderline.polling.tally import Tally
from renderline.polling.threads import PollThreads, Reservation
from renderline.renders import State

log = structlog.get_logger(__name__)

_RESERVATION = 0.25
"""Seconds that a pump waits for busy poll threads of its account."""
_OTHER_WORKER_IN = 1.0
"""Seconds after which a pump of an unknown account runs again, in any worker."""
_UNKNOWN_ACCOUNT = "no live worker knows its account"


@dataclass(frozen=True)
class NextRun:
    """When a pump runs again: in `delay` seconds, with `ticket`."""

    delay: float
    ticket: int


@dataclass(frozen=True)
class Poller:
    """Polls due renders.

    A run claims up to `batch` renders for `lease` seconds and polls them in `threads` threads of their account, never
    more than are free. It records results together: when all are done, and every `record_every` seconds until then.
    It waits at most `patience` seconds; slower polls are recorded when they end, while the pump goes on. It waits up to
    `gather` seconds for more renders to fall due, unless they fill a batch. For up to `stay` seconds a pump waits here
    for renders that are due within `nap` seconds: a message for each batch would cost more than the polls.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    durations: Durations
    accounts: Mapping[str, AccountClients]
    policy: PollPolicy
    lease: float
    confirmation: Confirmation
    project_list: ProjectList | None = None
    """Reads the vendor's project list instead of polling each render (`RENDERLINE_POLL_STRATEGY=list`)."""
    batch: int = 64
    threads: int = 32
    patience: float = 1.0
    record_every: float = 0.05
    gather: float = 0.0
    stay: float = 0.0
    nap: float = 1.0
    capabilities: WorkerCapabilities | None = None
    """Tells whether other workers know an account that is not among `accounts`."""
    _leaving: threading.Event = field(default_factory=threading.Event, repr=False)
    _pools: dict[str, PollThreads] = field(default_factory=dict, repr=False)
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, account: str, *, slot: int, ticket: int, tally: Tally | None = None) -> NextRun | None:
        """Run one pump; returns when it has to run again, or None if it is not needed any more.

        `tally` counts what it polls; polls that hang are not waited for.

        An old ticket (a message that came twice or late) does nothing.
        """
        if account not in self.accounts:
            return self._pass_on(account, slot=slot, ticket=ticket)
        tally = tally or Tally()
        until = time.monotonic() + self.stay
        while True:
            next_run = self._run_once(account, slot=slot, ticket=ticket, tally=tally)
            if next_run is None or next_run.delay > self.nap or time.monotonic() + next_run.delay >= until:
                return next_run
            ticket = next_run.ticket
            if self._leaving.wait(next_run.delay):
                return NextRun(0.0, ticket)

    def _pass_on(self, account: str, *, slot: int, ticket: int) -> NextRun | None:
        """Leave a pump to workers that know its account; if there are none, record that in the due renders."""
        wait = _OTHER_WORKER_IN
        if self.capabilities is None or not self.capabilities.elsewhere(account_name(account)):
            wait = self.lease
            batch = self.ledger.claim_due_polls(account, slot=slot, ticket=ticket, limit=self.batch, lease=self.lease)
            if batch is None:
                return None
            # Claim them, so that their deadlines are enforced.
            results = [
                PollResult(one.id, one.epoch, "error", poll_in=wait, message=_UNKNOWN_ACCOUNT) for one in batch.polls
            ]
            self._record(results)
        rest = self.ledger.sleep_pump(account, slot=slot, ticket=ticket, limit=self.batch, gather=0.0, least=wait)
        return NextRun(*rest) if rest else None

    def leave(self) -> None:
        """End the running pumps, because the process stops."""
        self._leaving.set()

    def close(self) -> None:
        """Wait for the polls that are under way."""
        for threads in self._pools.values():
            threads.close()

    def _run_once(self, account: str, *, slot: int, ticket: int, tally: Tally) -> NextRun | None:
        # Claim only what can start now.
        with self._threads_of(account).reserve(self.batch, patience=_RESERVATION) as threads:
            free = threads.left
            if free:
                batch = self.ledger.claim_due_polls(account, slot=slot, ticket=ticket, limit=free, lease=self.lease)
                if batch is None:
                    return None
                self.dispatcher.poll(batch.more)
                if batch.polls:
                    self._poll(account, threads, batch, tally)
        rest = self.ledger.sleep_pump(
            account,
            slot=slot,
            ticket=ticket,
            limit=self.batch,
            gather=self.gather,
            # While its polls hang, the pump takes no threads from others.
            least=0.0 if free else 2 * self.nap,
        )
        return NextRun(*rest) if rest else None

    @cached_property
    def render_poll(self) -> RenderPoll:
        """The function that polls one render."""
        parts = (self.durations, self.policy, self.lease, self.confirmation, self.project_list)
        return RenderPoll(*parts, observer=self.ledger.observer)

    def _threads_of(self, account: str) -> PollThreads:
        with self._making:
            found = self._pools.get(account)
            if found is None:
                found = self._pools[account] = PollThreads(account, self.threads)
            return found

    def _poll(self, account: str, threads: Reservation, batch: Batch, tally: Tally) -> None:
        clients = self.accounts[account]
        due, claimed_at = batch.polls, time.monotonic()
        offset = batch.now - claimed_at
        if self.project_list:
            listing = threads.run_beside(self.project_list.poll, clients, due, now=time.monotonic() + offset)
            try:
                results, due = listing.result(self.patience)
            except TimeoutError:
                # The list hangs: its renders are claimed again after the lease.
                return
            tally.add(batch.polls, results, self._record(results))
        threads.keep(len(due))
        pending = {threads.run(self.render_poll.poll, clients, one, offset, claimed_at) for one in due}
        give_up = time.monotonic() + self.patience
        while pending and (left := give_up - time.monotonic()) > 0:
            done, pending = wait(pending, timeout=min(left, self.record_every))
            results = [future.result() for future in done]
            tally.add(batch.polls, results, self._record(results))
        for straggler in pending:
            straggler.add_done_callback(self._record_late)

    def _record(self, results: Sequence[PollResult]) -> Sequence[tuple[str, str]]:
        changes = self.ledger.record_poll_results(results)
        if changes:
            self.dispatcher.on_transition(changes)
            log_failed(self.ledger, [one for one, state in changes if state in (State.FAILED, State.EXPIRED)])
        return changes

    def _record_late(self, future: Future[PollResult]) -> None:
        if not future.cancelled():
            self._record([future.result()])
