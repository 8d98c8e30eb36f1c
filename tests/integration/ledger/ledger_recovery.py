"""How work goes on once everything works again: by what the sweep finds, since every message may be lost."""

from __future__ import annotations

from typing import Protocol

from harness.ledger import owed_hooks
from renderline.ledger import AccountLimits, DuePoll, Ledger, PollResult, PumpWake, Submission
from tests.integration.ledger.ledger_actors import GENERATE, Watcher, Worker
from tests.integration.ledger.ledger_choices import LEASE, SETTLE
from tests.integration.ledger.ledger_truths import WAITING


class Play(Protocol):
    """The part of the state machine that recovery needs; it records who claims what."""

    now: float
    ledger: Ledger
    limits: AccountLimits

    def begun(self, claim: Submission) -> Worker: ...
    def watching(self, due_poll: DuePoll) -> Watcher: ...
    def record(self, watcher: Watcher, finding: PollResult) -> None: ...


def work_through_the_sweep(play: Play) -> None:
    """Do whatever the sweep asks for, all of it well."""
    waiting = [(one, state) for one, state, _ in play.ledger.stalled()]
    waiting += [(one, "submitting") for one, _ in play.limits.unpark()]
    for one, state in waiting:
        if state in WAITING:
            submit_well(play, one)
        else:
            deliver_well(play, one)
    _, wakes = play.ledger.overdue()
    for wake in [*wakes, *play.ledger.restart_pumps()]:
        look_well(play, wake)


def submit_well(play: Play, one: str) -> None:
    """Submit a render if it is its turn."""
    claim = play.ledger.claim_submission(one, lease=LEASE)
    if claim is not None:
        worker = play.begun(claim)
        while not worker.ended:
            worker.go_on(play.ledger, fate="well")


def look_well(play: Play, wake: PumpWake) -> None:
    """Run a pump; the vendor is done with everything."""
    batch = play.ledger.claim_due_polls(wake.account, slot=wake.slot, ticket=wake.ticket, limit=64, lease=LEASE)
    for due_poll in batch.polls if batch else ():
        watcher = play.watching(due_poll)
        finished = "next" if due_poll.stage == GENERATE else "done"
        finding = watcher.finding(finished if due_poll.state == "rendering" else "started", now=play.now, settle=SETTLE)
        assert finding is not None
        play.record(watcher, finding)


def deliver_well(play: Play, one: str) -> None:
    """Run the hooks that a render owes."""
    for index in owed_hooks(play.ledger, one):
        claim = play.ledger.claim_hook(one, index, lease=LEASE)
        if claim.status == "yours":
            play.ledger.record_hook(one, index, claim, outcome="delivered")
