"""How work goes on once everything works again: by what the sweep finds, since every message may be lost."""

from __future__ import annotations

from typing import Protocol

from renderline.ledger import AccountLimits, DuePoll, Ledger, PollResult, PumpWake, Submission
from tests.integration.ledger.ledger_actors import Watcher, Worker
from tests.integration.ledger.ledger_choices import LEASE, SETTLE
from tests.integration.ledger.ledger_truths import WAITING


class Play(Protocol):
    """What is needed of the state machine, which takes note of who claims what."""

    now: float
    ledger: Ledger
    flow: AccountLimits

    def begun(self, claim: Submission) -> Worker: ...
    def watching(self, look: DuePoll) -> Watcher: ...
    def record(self, watcher: Watcher, finding: PollResult) -> None: ...


def work_through_the_sweep(play: Play) -> None:
    """Do whatever the sweep asks for, all of it well."""
    waiting = [(one, state) for one, state, _ in play.ledger.silent()]
    waiting += [(one, "submitting") for one, _ in play.flow.unpark()]
    for one, state in waiting:
        if state in WAITING:
            submit_well(play, one)
        else:
            deliver_well(play, one)
    _, kicks = play.ledger.overdue()
    for kick in [*kicks, *play.ledger.pumps()]:
        look_well(play, kick)


def submit_well(play: Play, one: str) -> None:
    """Submit a render if it is its turn."""
    claim = play.ledger.begin_submission(one, lease=LEASE)
    if claim is not None:
        worker = play.begun(claim)
        while not worker.ended:
            worker.go_on(play.ledger, fate="well")


def look_well(play: Play, kick: PumpWake) -> None:
    """Run a pump; the vendor is done with everything."""
    batch = play.ledger.claim_due(kick.account, slot=kick.slot, ticket=kick.ticket, limit=64, lease=LEASE)
    for look in batch.looks if batch else ():
        watcher = play.watching(look)
        finding = watcher.finding("done" if look.state == "rendering" else "started", now=play.now, settle=SETTLE)
        assert finding is not None
        play.record(watcher, finding)


def deliver_well(play: Play, one: str) -> None:
    """Run the hooks that a render owes."""
    for index in play.ledger.owed_hooks([one])[0]:
        claim = play.ledger.claim_hook(one, index, lease=LEASE)
        if claim.verdict == "yours":
            play.ledger.settle_hook(one, index, claim, outcome="delivered")
