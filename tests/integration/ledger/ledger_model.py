"""The model of the property test: one ledger, its claims, the invariants, and how every run ends."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant
from redis import Redis

from harness.ledger import owed_hooks
from renderline.ledger import AccountLimits, Commands, DuePoll, Ledger, PollResult, PumpWake, Submission
from tests.integration.ledger.ledger_actors import Messenger, Permits, Watcher, Worker
from tests.integration.ledger.ledger_choices import ACCOUNTS, FINAL_WITHIN, GRACE, LEASE, LOOKED_AT_WITHIN
from tests.integration.ledger.ledger_figures import check_figures
from tests.integration.ledger.ledger_recovery import work_through_the_sweep
from tests.integration.ledger.ledger_truths import FOLLOWED, HOOKED, Picture, Truths


class LedgerModel(RuleBasedStateMachine):
    """Records who holds which claim; an earlier holder may return at any time."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        redis.flushall()
        self.redis, self.now = redis, 1_700_000_000.0
        self.ledger = Ledger(redis, grace=GRACE, clock=lambda: self.now)
        self.operations, self.limits = Commands(self.ledger), AccountLimits(self.ledger)
        self.truths = Truths(grace=GRACE, lease=LEASE)
        self.permits = Permits()
        self.workers: list[Worker] = []
        self.watchers: list[Watcher] = []
        self.messengers: list[Messenger] = []
        self.wakes: list[PumpWake] = []
        self.turns: dict[tuple[str, int], int] = {}
        self.settled: set[tuple[str, int, int]] = set()
        self.holds: set[str] = set()
        """The renders that an operator holds."""
        self.last_event = "0-0"
        self.newest: dict[Any, Any] = {}
        """Who claimed a submission, a poll or a hook last: only that one may change anything."""

    # -- what is true at any time

    def picture(self) -> Picture:
        return Picture.take(self.redis, self.ledger.prefix, ACCOUNTS, set(ACCOUNTS.values()), after=self.last_event)

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        picture = self.picture()
        if picture.events:
            self.last_event = picture.events[-1][0]
        self.truths.check(picture, now=self.now)
        for one in picture.hashes:
            if picture.state(one) in FOLLOWED:
                assert one in self.permits.open, f"{one} is followed though no paid call of it is open"

    # -- who has claimed what

    def begun(self, claim: Submission) -> Worker:
        assert claim.id not in self.holds, f"{claim.id} is held, and a worker has its submission"
        worker = Worker(claim, self.permits, LEASE)
        self.workers.append(worker)
        self.newest["submission", claim.id] = worker
        return worker

    @contextmanager
    def only_by_the_newest(self, what: tuple[Any, ...], actor: Any) -> Iterator[None]:
        """What is done inside may change the render only if `actor` has the newest claim on it."""
        one = what[1]
        before = self.hash_of(one)
        yield
        if self.newest.get(what) is not actor and self.hash_of(one) != before:
            late = isinstance(actor, Worker) and self.permits.open.get(one) is actor
            assert late, f"an old claim on {what} changed it"
            assert before["state"] == "unconfirmed", f"a late answer changed {what}, which was settled"
            # The answer to the call whose outcome was unknown; a poll of before knows less.
            self.newest.pop(("poll", one), None)

    def watching(self, due_poll: DuePoll) -> Watcher:
        watcher = Watcher(due_poll, self.permits.lives[due_poll.id])
        self.watchers.append(watcher)
        self.newest["poll", due_poll.id] = watcher
        return watcher

    def record(self, watcher: Watcher, finding: PollResult) -> None:
        one = finding.id
        before = self.hash_of(one)
        with self.only_by_the_newest(("poll", one), watcher):
            moved = self.ledger.record_poll_results([finding])
        if self.hash_of(one) != before:
            assert watcher.life == self.permits.lives[one], f"{one}: {finding.status} of an earlier paid call"
        if (one, "submitting") in moved:
            if finding.status == "next":
                self.permits.finished.add(one)
            self.over(one)

    def over(self, one: str) -> None:
        """The paid call is known to have started nothing; what was claimed because of it is nobody's."""
        self.permits.close(one)
        self.newest.pop(("submission", one), None)
        self.newest.pop(("poll", one), None)

    def one_of(self, states: Container[str], wanted: str) -> str:
        """Return the wanted render, or one that is in such a state if the wanted one is not."""
        fitting = [one for one in sorted(self.truths.states) if self.truths.states[one] in states]
        return wanted if wanted in fitting or not fitting else fitting[0]

    def owing(self, wanted: str) -> str:
        """Return the wanted render, or one whose hooks are to be run if the wanted one has none."""
        ended = [one for one in sorted(self.truths.states) if self.truths.states[one] in HOOKED]
        fitting = [one for one in ended if owed_hooks(self.ledger, one)]
        return wanted if wanted in fitting or not fitting else fitting[0]

    def hash_of(self, one: str) -> dict[str, str]:
        fields: Any = self.redis.hgetall(f"{self.ledger.prefix}render:{one}")
        return dict(fields)

    def keep(self, wake: PumpWake | None) -> None:
        if wake:
            self.wakes.append(wake)

    def wake_of(self, answer: Any) -> None:
        if isinstance(answer, tuple):
            self.keep(answer[1])

    def new_turn(self, one: str, index: int) -> None:
        self.newest.pop(("hook", one, index), None)
        self.turns[one, index] = self.turns.get((one, index), 0) + 1

    # -- and in the end everything ends

    def teardown(self) -> None:
        """Every message is lost and every claim held for ever; from now on the rest works: all must come to an end."""
        check_figures(self.ledger)
        for account in set(ACCOUNTS.values()):
            self.operations.resume(account)
        for one in sorted(self.holds):
            self.operations.release(one)
        self.holds.clear()
        begun, followed = self.now, dict.fromkeys(ACCOUNTS, self.now)
        while left := (picture := self.picture()).unsettled():
            assert self.now < begun + FINAL_WITHIN, f"{left} never end: {[self.hash_of(one) for one in left]}"
            for one in ACCOUNTS:
                if picture.state(one) not in FOLLOWED:
                    followed[one] = self.now
                assert self.now < followed[one] + LOOKED_AT_WITHIN, f"nobody polls {one}: {self.hash_of(one)}"
            self.now += 2.0
            work_through_the_sweep(self)
            self.all_is_as_it_must_be()
        check_figures(self.ledger)
        self.now += 1
