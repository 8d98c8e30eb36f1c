"""The ledger under arbitrary interleavings: late, repeated and reordered steps of workers, pumps, hooks and people."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from renderline.contract import PRIORITIES
from renderline.kinds import KINDS
from renderline.ledger import Entry, KeyConflict, PumpWake
from tests.integration.ledger.ledger_actors import BASELINE, EXPORT, GENERATE, Messenger
from tests.integration.ledger.ledger_choices import (
    ACCOUNTS,
    DEADLINE,
    GRACE,
    HOOKS,
    LEASE,
    ON_THE_WAY,
    SETTLE,
    TENANTS,
    accounts,
    fates,
    late,
    outcomes,
    picks,
    renders,
    statuses,
    times,
    wishes,
)
from tests.integration.ledger.ledger_model import LedgerModel
from tests.integration.ledger.ledger_recovery import look_well
from tests.integration.ledger.ledger_truths import FOLLOWED, SETTLED, WAITING


class LedgerMachine(LedgerModel):
    """Everything that may happen, in any order."""

    # -- steps

    @initialize(limit=st.sampled_from([None, 1, 2]))
    def begin(self, limit: int | None) -> None:
        self.limits.set_slots({"main": limit, "other": None})

    @rule(seconds=times)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(one=renders, body=st.sampled_from(["f1", "f1", "f1", "f2"]), priority=st.sampled_from(sorted(PRIORITIES)))
    def accept(self, one: str, body: str, priority: str) -> None:
        known = self.ledger.record(one) is not None
        hooks = [{"type": "http"}] * HOOKS[one]
        try:
            meta = {"name": one, "hooks": hooks, "metadata": {}}
            entry = Entry(one, "project", ACCOUNTS[one], priority, DEADLINE, meta, "{}", body, TENANTS[one])
            assert self.ledger.accept(entry).status == ("known" if known else "new")
        except KeyConflict:
            assert known

    @rule(one=renders, to=st.sampled_from(sorted(ON_THE_WAY)))
    def goes_well(self, one: str, to: str) -> None:
        """What mostly happens, so that the rest happens at every stage."""
        self.accept(one, "f1", "normal")
        for _ in range(2):
            claim = self.ledger.claim_submission(one, lease=LEASE)
            if claim is not None:
                worker = self.begun(claim)
                while not worker.ended and (fate := ON_THE_WAY[to].get(worker.step, "well")) != "stops":
                    self.wake_of(worker.go_on(self.ledger, fate=fate))
            if to == "taken over":
                self.now += LEASE + 0.1
            elif to in ("completed", "put off between stages") and self.wakes:
                self.now += 2.0
                look_well(self, self.wakes[-1])

    @rule(one=renders, lapse=st.booleans())
    def submission_begins(self, one: str, lapse: bool) -> None:
        one = self.one_of(WAITING, one)
        self.now += LEASE + 0.1 if lapse else 0.0
        claim = self.ledger.claim_submission(one, lease=LEASE)
        if claim is not None:
            self.begun(claim)

    @precondition(lambda self: any(not worker.ended for worker in self.workers))
    @rule(pick=picks, fate=fates, steps=st.integers(1, 5))
    def submission_goes_on(self, pick: int, fate: str, steps: int) -> None:
        working = [worker for worker in self.workers if not worker.ended]
        worker = working[pick % len(working)]
        for left in range(steps, 0, -1):
            if not worker.ended:
                with self.only_by_the_newest(("submission", worker.claim.id), worker):
                    self.wake_of(worker.go_on(self.ledger, fate=fate if left == 1 else "well"))

    @precondition(lambda self: any(worker.last for worker in self.workers))
    @rule(pick=picks)
    def submission_step_arrives_again(self, pick: int) -> None:
        """The connection broke before the answer came, and the client sent its last step once more."""
        called = [worker for worker in self.workers if worker.last]
        worker = called[pick % len(called)]
        assert worker.last
        with self.only_by_the_newest(("submission", worker.claim.id), worker):
            self.wake_of(worker.last())
        worker.last = None

    @precondition(lambda self: self.wakes)
    @rule(pick=late, limit=st.sampled_from([1, 64, 64]), on_time=st.booleans(), dies=st.booleans())
    def pump_runs(self, pick: int, limit: int, on_time: bool, dies: bool) -> None:
        if on_time:
            # Long after all others are dead, and with the message that the sweep sends for that.
            self.now += 2 * GRACE
            self.wakes += self.ledger.restart_pumps()
        wake = self.wakes[-1 - (0 if on_time else pick % len(self.wakes))]
        self.now += wake.delay + 0.001 if on_time else 0.0
        batch = self.ledger.claim_due_polls(wake.account, slot=wake.slot, ticket=wake.ticket, limit=limit, lease=LEASE)
        if batch is None:
            return
        self.keep(batch.more)
        for due_poll in batch.polls:
            self.watching(due_poll)
        rest = None if dies else self.ledger.sleep_pump(wake.account, slot=wake.slot, ticket=wake.ticket, limit=limit)
        if rest:
            self.keep(PumpWake(wake.account, wake.slot, rest[1], rest[0]))

    @precondition(lambda self: self.watchers)
    @rule(pick=late, status=statuses, twice=st.booleans())
    def finding_comes(self, pick: int, status: str, twice: bool) -> None:
        """A poll result, of the newest polls more often, but of any; it stays, and may come again."""
        watcher = self.watchers[-1 - pick % len(self.watchers)]
        finding = watcher.finding(status, now=self.now, settle=SETTLE)
        if finding is None:
            return
        for _ in range(1 + twice):
            self.record(watcher, finding)

    @rule(one=renders, index=st.sampled_from([0, 0, 0, 1, 2]), lapse=st.booleans())
    def hook_is_claimed(self, one: str, index: int, lapse: bool) -> None:
        one = self.owing(one)
        self.now += LEASE + 0.1 if lapse else 0.0
        before = self.ledger.record(one)
        claim = self.ledger.claim_hook(one, index, lease=LEASE)
        if claim.status == "yours":
            assert before
            assert before["hooks"][index]["state"] not in SETTLED
            messenger = Messenger(one, index, claim, self.turns.get((one, index), 0))
            self.messengers.append(messenger)
            self.newest["hook", one, index] = messenger

    @precondition(lambda self: self.messengers)
    @rule(pick=late, outcome=outcomes, twice=st.booleans())
    def hook_is_settled(self, pick: int, outcome: str, twice: bool) -> None:
        messenger = self.messengers[-1 - pick % len(self.messengers)]
        messenger.renewing = False
        one, index = messenger.id, messenger.index
        for _ in range(1 + twice):
            before = self.hash_of(one)
            wait = 3.0 if outcome == "retrying" else 0.0
            with self.only_by_the_newest(("hook", one, index), messenger):
                self.ledger.record_hook(one, index, messenger.claim, outcome=outcome, retry_in=wait, error="")
            if self.hash_of(one) == before:
                continue
            turn = self.turns.get((one, index), 0)
            assert messenger.turn == turn, f"hook {index} of {one} was settled by a try of an earlier turn"
            if outcome != "retrying":
                assert (one, index, turn) not in self.settled, f"hook {index} of {one} was settled twice"
                self.settled.add((one, index, turn))

    @precondition(lambda self: any(messenger.renewing for messenger in self.messengers))
    @rule(pick=picks)
    def hook_is_renewed(self, pick: int) -> None:
        running = [messenger for messenger in self.messengers if messenger.renewing]
        messenger = running[-1 - pick % len(running)]
        with self.only_by_the_newest(("hook", messenger.id, messenger.index), messenger):
            self.ledger.renew_hook(messenger.id, messenger.index, messenger.claim, lease=LEASE)

    # -- from outside

    @rule(one=renders, index=st.integers(0, 1), wish=wishes)
    def somebody_acts(self, one: str, index: int, wish: str) -> None:
        people = self.operations
        if wish == "cancel":
            people.cancel(one)
            self.holds.discard(one)
        elif wish == "hold":
            if people.hold(one, by="anna", reason="") in ("accepted", "held"):
                self.holds.add(one)
        elif wish == "release":
            assert bool(people.release(one)) == (one in self.holds)
            self.holds.discard(one)
        elif wish == "adopt":
            adopted, wake = people.adopt(one, f"adopted-{one}")
            self.keep(wake)
            if adopted:
                self.newest.pop(("poll", one), None)
        elif wish == "discard":
            people.discard(one, index)
        elif wish == "replay" and people.replay(one, index):
            self.new_turn(one, index)

    @rule(one=renders)
    def it_is_done_again(self, one: str) -> None:
        """An operator resubmits what is unconfirmed, or retries what failed or expired."""
        one = self.one_of(("unconfirmed", "failed", "expired"), one)
        if self.operations.resubmit(one):
            self.over(one)
        elif self.operations.retry(one, resume_at=lambda _: BASELINE if one in self.permits.finished else ""):
            self.over(one)
            for index in range(HOOKS[one]):
                self.new_turn(one, index)

    @precondition(lambda self: self.permits.open)
    @rule(pick=picks, progress=st.sampled_from([0.0, 30.0, 100.0, None]), earlier=st.booleans())
    def vendor_calls(self, pick: int, progress: float | None, earlier: bool) -> None:
        """The vendor's webhook about a paid call that was made, or about one of an earlier attempt."""
        one = sorted(self.permits.open)[pick % len(self.permits.open)]
        if self.permits.open[one].stage == GENERATE:
            return  # Only exports have webhooks.
        record = self.ledger.record(one)
        assert record
        attempt = record["attempt"] - 1 if earlier else record["attempt"]
        before = self.hash_of(one)
        state, wake = self.operations.record_webhook(
            one, progress=progress, attempt=attempt, poll_in=5.0, alive_for=60.0
        )
        self.keep(wake)
        if earlier:
            assert (state, self.hash_of(one)) == ("", before)

    @rule(account=accounts, what=st.sampled_from(["pause", "resume", "resume", "slow down", "outage", "recovered"]))
    def weather(self, account: str, what: str) -> None:
        act = {
            "pause": lambda: self.operations.pause(account),
            "resume": lambda: self.operations.resume(account),
            "slow down": lambda: self.limits.slow_down(account, seconds=1.0),
            "outage": lambda: self.limits.call_failed(account, failures=1, pause=40.0),
            "recovered": lambda: self.limits.call_answered(account),
        }
        act[what]()

    # -- the sweep

    @rule()
    def sweep(self) -> None:
        for one, state, _ in self.ledger.stalled():
            record = self.ledger.record(one)
            assert record
            assert record["state"] == state
            assert state not in FOLLOWED
        _, wakes = self.ledger.overdue()
        self.wakes += [*wakes, *self.ledger.restart_pumps()]

    @rule()
    def unpark(self) -> None:
        for one, _ in self.limits.unpark():
            assert self.truths.states[one] in WAITING

    @rule(retention=st.sampled_from([DEADLINE, 10 * DEADLINE]))
    def forget(self, retention: float) -> None:
        self.ledger.forget(retention=retention)
        for one in [one for one in self.truths.states if not self.hash_of(one)]:
            # The retention is far longer than any claim lives; the same key may start a new record.
            del self.truths.states[one]
            self.permits.close(one)
            self.permits.finished.discard(one)
            self.workers = [worker for worker in self.workers if worker.claim.id != one]
            self.watchers = [watcher for watcher in self.watchers if watcher.due_poll.id != one]
            self.messengers = [messenger for messenger in self.messengers if messenger.id != one]
            self.settled = {turn for turn in self.settled if turn[0] != one}


def profile(examples: int) -> settings:
    """In CI the same steps every time; elsewhere new ones, and as many as PROPERTY_EXAMPLES says."""
    return settings(
        max_examples=int(os.environ.get("PROPERTY_EXAMPLES", examples)),
        stateful_step_count=60,
        deadline=None,
        derandomize="CI" in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
        # Making a failing run shorter takes minutes: done when asked for.
        phases=(Phase.generate, Phase.shrink) if "PROPERTY_SHRINK" in os.environ else (Phase.generate,),
    )


@pytest.mark.parametrize("examples", [40, pytest.param(400, marks=pytest.mark.chaos)])
def test_no_interleaving_loses_a_render_or_pays_twice(redis: Redis, examples: int) -> None:
    run_state_machine_as_test(lambda: LedgerMachine(redis), settings=profile(examples))  # type: ignore[arg-type]


def test_the_stages_are_those_of_a_plan() -> None:
    """The actors above know the names of the stages."""
    assert [stage.name for stage in KINDS["project"].two_phase] == ["draft", EXPORT]
