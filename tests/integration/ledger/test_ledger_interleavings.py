"""Interleavings that once broke a promise, shortened: found by the state machine, or by reading with it in mind."""

from __future__ import annotations

import pytest
from redis import Redis

from renderline.ledger import AccountLimits, Commands, DuePoll, Entry, Ledger, PollResult, Submission
from tests.integration.ledger.ledger_truths import Picture, Truths

GRACE, LEASE = 30.0, 20.0


class Actors:
    """A ledger whose time the test drives, and short ways through it."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.now = redis, 1_700_000_000.0
        self.ledger = Ledger(redis, grace=GRACE, clock=lambda: self.now)
        self.people, self.limits = Commands(self.ledger), AccountLimits(self.ledger)
        self._truths, self._after = Truths(grace=GRACE, lease=LEASE), "0-0"

    def accept(self, one: str, *, hooks: int = 1) -> None:
        meta = {"name": one, "hooks": [{"type": "http"}] * hooks, "metadata": {}}
        self.ledger.accept(Entry(one, "project", "main", "normal", 600.0, meta, "{}", "f"))

    def begin(self, one: str) -> Submission:
        claim = self.ledger.claim_submission(one, lease=LEASE)
        assert claim is not None
        return claim

    def export(self, claim: Submission, *, confirmed: bool) -> None:
        """Make the paid call, seen or not."""
        assert self.ledger.record_intent(claim, "export", lease=LEASE)
        assert self.ledger.start(claim, confirmed=confirmed, project_id="p", poll_in=1.0)[0]

    def due_poll(self) -> DuePoll:
        """Let the pumps be found dead, and have the one due render polled."""
        self.now += 2 * GRACE
        wake = self.ledger.restart_pumps()[0]
        batch = self.ledger.claim_due_polls(wake.account, slot=wake.slot, ticket=wake.ticket, limit=64, lease=LEASE)
        assert batch is not None
        (due_poll,) = batch.polls
        return due_poll

    def find(self, due_poll: DuePoll, status: str, **seen: object) -> list[tuple[str, str]]:
        return self.ledger.record_poll_results([PollResult(due_poll.id, due_poll.epoch, status, **seen)])  # type: ignore[arg-type]

    def failed(self, one: str) -> None:
        self.accept(one)
        assert self.ledger.fail(one, code="1", message="no", origin="vendor")

    def state(self, one: str) -> str:
        record = self.ledger.record(one)
        assert record is not None
        return str(record["state"])

    def sound(self) -> None:
        ids = self.redis.zrange(f"{self.ledger.prefix}renders", 0, -1)
        picture = Picture.take(self.redis, self.ledger.prefix, map(str, ids), ["main"], after=self._after)
        if picture.events:
            self._after = picture.events[-1][0]
        self._truths.check(picture, now=self.now)


@pytest.fixture
def actors(redis: Redis) -> Actors:
    return Actors(redis)


def test_a_parked_render_that_is_begun_by_a_late_message_is_parked_no_more(actors: Actors) -> None:
    actors.accept("a")
    actors.people.pause("main")
    assert actors.ledger.claim_submission("a", lease=LEASE) is None
    actors.people.resume("main")
    actors.export(actors.begin("a"), confirmed=True)
    assert actors.limits.unpark() == []
    actors.sound()


@pytest.mark.parametrize("announced", [True, False])
def test_a_render_that_was_parked_behind_a_slow_workers_back_is_parked_no_more(actors: Actors, announced: bool) -> None:
    """Its lease had ended during the paid call, or before it; nobody else claimed it."""
    actors.accept("a")
    claim = actors.begin("a")
    if announced:
        assert actors.ledger.record_intent(claim, "export", lease=LEASE)
    actors.now += LEASE + 1
    actors.people.pause("main")
    assert actors.ledger.claim_submission("a", lease=LEASE) is None
    if not announced:
        assert actors.ledger.record_intent(claim, "export", lease=LEASE)
        actors.sound()
    assert actors.ledger.start(claim, confirmed=True, project_id="p", poll_in=1.0)[0]
    actors.people.resume("main")
    assert actors.limits.unpark() == []
    actors.sound()


def test_a_parked_render_that_has_its_slot_already_does_not_wait_for_another(actors: Actors) -> None:
    """Its worker died, its account was silent when the sweep sent it again; nobody else could free its slot."""
    actors.limits.set_slots({"main": 1})
    actors.accept("a")
    actors.begin("a")
    actors.now += LEASE + 1
    actors.limits.slow_down("main", seconds=5.0)
    assert actors.ledger.claim_submission("a", lease=LEASE) is None
    actors.now += 6.0
    assert actors.limits.unpark() == [("a", "normal")]
    actors.begin("a")
    actors.sound()


def test_of_parked_renders_one_without_a_slot_does_not_go_with_those_that_have_one(actors: Actors) -> None:
    actors.limits.set_slots({"main": 1})
    for one in ("a", "b"):
        actors.accept(one)
    actors.begin("a")
    actors.now += LEASE + 1
    actors.limits.slow_down("main", seconds=5.0)
    for one in ("b", "a"):
        assert actors.ledger.claim_submission(one, lease=LEASE) is None
    actors.now += 6.0
    assert actors.limits.unpark() == [("a", "normal")]


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_start_that_arrives_again_after_the_resubmission_starts_nothing(actors: Actors, confirmed: bool) -> None:
    actors.accept("a")
    claim = actors.begin("a")
    actors.export(claim, confirmed=False)
    assert actors.people.resubmit("a")
    assert actors.ledger.start(claim, confirmed=confirmed, project_id="p", poll_in=1.0) == (False, None)
    assert actors.state("a") == "submitting"
    actors.sound()


def test_a_claim_ends_when_two_polls_showed_that_its_call_started_nothing(actors: Actors) -> None:
    actors.accept("a")
    claim = actors.begin("a")
    actors.export(claim, confirmed=False)
    actors.find(actors.due_poll(), "untouched", poll_in=10.0)
    assert actors.find(actors.due_poll(), "resubmit") == [("a", "submitting")]
    assert not actors.ledger.record_intent(claim, "export", lease=LEASE)
    assert actors.ledger.start(claim, confirmed=False, project_id="p", poll_in=1.0) == (False, None)
    actors.sound()


@pytest.mark.parametrize("status", ["resubmit", "failed", "started", "wait"])
def test_what_was_seen_of_one_paid_call_says_nothing_about_the_next(actors: Actors, status: str) -> None:
    """Taken for the second call, `resubmit` would have it paid for twice."""
    actors.accept("a")
    actors.export(actors.begin("a"), confirmed=False)
    actors.find(actors.due_poll(), "untouched", poll_in=10.0)
    late = actors.due_poll()
    assert actors.people.resubmit("a")
    actors.export(actors.begin("a"), confirmed=False)
    assert actors.find(late, status, poll_in=5.0, code="1", message="no") == []
    assert actors.state("a") == "unconfirmed"
    actors.sound()


def test_what_was_seen_of_an_earlier_attempt_says_nothing_about_the_retry(actors: Actors) -> None:
    actors.accept("a")
    actors.export(actors.begin("a"), confirmed=True)
    late = actors.due_poll()
    assert actors.ledger.fail("a", code="1", message="given up", origin="renderline")
    assert actors.people.retry("a")
    actors.export(actors.begin("a"), confirmed=True)
    assert actors.find(late, "done", progress=100.0, url="https://v/old.mp4") == []
    assert actors.state("a") == "rendering"
    actors.sound()


def test_what_was_seen_before_an_operator_named_the_project_does_not_count(actors: Actors) -> None:
    actors.accept("a")
    actors.export(actors.begin("a"), confirmed=False)
    late = actors.due_poll()
    assert actors.people.adopt("a", "theirs")[0]
    assert actors.find(late, "started", poll_in=5.0, project_id="another") == []
    record = actors.ledger.record("a")
    assert record is not None
    assert record["project_id"] == "theirs"
    actors.sound()


def test_a_hook_of_an_attempt_that_ended_settles_nothing_of_the_next(actors: Actors) -> None:
    """It would have counted as delivered, and no hook would have reported the video."""
    actors.failed("a")
    old = actors.ledger.claim_hook("a", 0, lease=LEASE)
    assert actors.people.retry("a")
    actors.ledger.record_hook("a", 0, old, outcome="delivered")
    record = actors.ledger.record("a")
    assert record is not None
    assert record["hooks"][0]["state"] == "pending"
    actors.sound()


def test_a_try_from_before_a_replay_does_not_hold_the_replay_up(actors: Actors) -> None:
    actors.failed("a")
    old = actors.ledger.claim_hook("a", 0, lease=LEASE)
    actors.ledger.record_hook("a", 0, old, outcome="dead")
    assert actors.people.replay("a", 0)
    assert not actors.ledger.renew_hook("a", 0, old, lease=LEASE)
    actors.ledger.record_hook("a", 0, old, outcome="delivered")
    assert actors.ledger.claim_hook("a", 0, lease=LEASE).status == "yours"
    actors.sound()


def test_the_pauses_between_re_sendings_begin_anew_after_a_claim(actors: Actors) -> None:
    """They double while a message waits in a long queue, not from crash to crash."""
    actors.accept("a")
    for _ in range(4):
        assert _sent_again_after(actors) <= 8 * GRACE
    actors.begin("a")
    assert _sent_again_after(actors) == LEASE + 1
    assert _sent_again_after(actors) == 2 * GRACE
    actors.sound()


def _sent_again_after(actors: Actors) -> float:
    since = actors.now
    while not actors.ledger.stalled():
        actors.now += 1.0
    return actors.now - since
