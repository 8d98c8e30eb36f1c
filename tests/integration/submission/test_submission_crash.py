"""A worker that dies between any two lines of a submission, and two that think it is theirs: one render, paid once.

A crash is played by doing what the submitter does up to that line and then letting the lease run out.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import until
from harness.local_worker import LocalWorker
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.kinds import KINDS
from renderline.ledger import Commands
from renderline.retry import RetryIn
from renderline.submission.outcome import NotMyTurn, Parked, Refused, Submitted

CREATE = "POST /api/odin/v3/editor/project"
EXPORT = "POST /api/odin/v3/editor/project/export"
PROGRESS = "GET /api/odin/v3/editor/progress/{key}"
SCENES = [
    {
        "script": "Hello.",
        "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"},
        "background": {"color": "#12355b"},
    }
]
PROJECT = {"kind": "project", "name": "Welcome", "scenes": SCENES}
ENDS = ("delivered", "failed", "expired", "canceled")


class Dying:
    """Goes through a plan as the submitter does, and stops where the test says."""

    def __init__(self, local_worker, one, mode="two_phase"):
        self.local_worker, self.claim = local_worker, local_worker.claim(one)
        self.context = local_worker.context(self.claim)
        self.plan = KINDS[self.claim.kind].plan(mode, at=self.claim.stage)

    def record_intent(self, index):
        self.local_worker.record_intent(self.claim, self.plan[index].name)

    def call(self, index):
        made = self.plan[index].call(self.local_worker.accounts["main"], self.context)
        self.context.project_id = made.project_id or self.context.project_id
        return made

    def through(self, index):
        """Do one free stage completely."""
        self.record_intent(index)
        made = self.call(index)
        following = self.plan[index + 1].name
        advance = self.local_worker.ledger.advance
        assert advance(self.claim, stage=following, project_id=made.project_id, baseline=made.baseline)

    def die(self):
        self.local_worker.lapse(self.claim.id)


def finished(local_worker, one="r1"):
    """Let the others go on; returns the record at the end and what the sandbox saw."""
    record = local_worker.poll_until(one, *ENDS)
    return record, local_worker.seen()


def test_dead_after_the_claim(local_worker):
    local_worker.accept(PROJECT, "r1")
    Dying(local_worker, "r1").die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], record["attempts"], seen["exports"]) == ("delivered", 2, 1)


def test_dead_before_the_draft_was_made(local_worker):
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1")
    dying.record_intent(0)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)
    assert "unconfirmed" not in record["times"]


def test_dead_after_the_draft_was_made(local_worker):
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1")
    dying.record_intent(0)
    made = dying.call(0)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], record["project_id"], seen["id"]) == ("delivered", made.project_id, made.project_id)
    assert seen["exports"] == 1


def test_dead_after_the_draft_was_recorded(local_worker):
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1")
    dying.through(0)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)
    assert "unconfirmed" not in record["times"]
    assert local_worker.sandbox.counts()[CREATE] == 1


def test_dead_before_the_export_was_sent(local_worker):
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1")
    dying.through(0)
    dying.record_intent(1)
    dying.die()
    assert isinstance(local_worker.submit("r1"), Submitted)
    assert local_worker.record("r1")["state"] == "unconfirmed"
    record, seen = finished(local_worker)
    assert record["state"] == "delivered"
    # The draft was revoked before another one was exported.
    assert [(one["exports"], one["deleted"]) for one in seen] == [(0, True), (1, False)]
    assert ("r1", "submitting") in local_worker.moved
    assert local_worker.sandbox.counts()[EXPORT] == 1


def test_dead_after_the_export_was_sent(local_worker):
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1")
    dying.through(0)
    dying.record_intent(1)
    dying.call(1)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)
    assert ("r1", "submitting") not in local_worker.moved
    assert local_worker.sandbox.counts()[EXPORT] == 1


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("exports", [0, 1])
def test_dead_around_the_export_of_a_named_project(new_local_worker, examples, exports, sent):
    """Its signs of an earlier render are not taken for ours. Not ours to delete, so the operator has to allow more."""
    local_worker = new_local_worker(resubmit_after=0.5)
    body = {**examples("v3-create-project-1.6.json"), "name": "Base", "webhookUrl": None}
    base = local_worker.v3.create_project(body, export=False)
    for _ in range(exports):
        local_worker.v3.export_project(base)
        local_worker.sandbox.control("POST", "complete", id=base)
    local_worker.accept({"kind": "export", "project_id": base}, "r1")
    dying = Dying(local_worker, "r1")
    dying.through(0)
    dying.record_intent(1)
    if sent:
        dying.call(1)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert record["state"] == "delivered", record["error"]
    assert seen["exports"] == exports + 1


def test_dead_in_the_middle_of_an_edit(local_worker, examples):
    body = {**examples("v3-create-project-1.6.json"), "name": "Base", "webhookUrl": None}
    base = local_worker.v3.create_project(body, export=False)
    updates = {"value": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Changed."}}]}
    local_worker.accept({"kind": "edit", "project_id": base, "updates": updates}, "r1")
    dying = Dying(local_worker, "r1")
    dying.record_intent(0)
    dying.call(0)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"], seen["deleted"]) == ("delivered", 1, False)


@pytest.mark.parametrize("sent", [True, False])
def test_direct_dead_around_the_one_call(new_local_worker, sent):
    local_worker = new_local_worker(mode="direct")
    local_worker.accept(PROJECT, "r1", deadline=60.0 if sent else 1.0)
    dying = Dying(local_worker, "r1", "direct")
    dying.record_intent(0)
    if sent:
        dying.call(0)
    dying.die()
    record, seen = finished(local_worker)
    if sent:
        assert record["state"] == "delivered"
        assert [one["exports"] for one in seen] == [1]
    else:
        # Never sent, but nobody can know: the list shows it only perhaps.
        assert (record["state"], record["error"]["code"]) == ("expired", "unconfirmed")
        assert "project list" in record["error"]["message"]
        assert seen == []


@pytest.mark.parametrize("made", [True, False])
def test_a_draft_announced_before_the_setting_changed_is_gone_on_with(new_local_worker, made):
    local_worker = new_local_worker(mode="direct")
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1", "two_phase")
    dying.record_intent(0)
    if made:
        dying.call(0)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)


def test_a_paid_call_announced_before_the_setting_changed_is_not_made_again(new_local_worker):
    local_worker = new_local_worker(mode="two_phase")
    local_worker.accept(PROJECT, "r1")
    dying = Dying(local_worker, "r1", "direct")
    dying.record_intent(0)
    dying.call(0)
    dying.die()
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)


# -- two workers


def test_ten_workers_at_once_submit_once(local_worker):
    local_worker.accept(PROJECT, "r1")
    ready = threading.Barrier(10)

    def run(_):
        ready.wait()
        return local_worker.submitter.submit("r1")

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(run, range(10)))
    assert sum(isinstance(outcome, Submitted) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, NotMyTurn) for outcome in outcomes) == 9
    (seen,) = local_worker.seen()
    assert seen["exports"] == 1


def held(local_worker, count=1):
    return until(lambda: (found := local_worker.sandbox.control("GET", "held")) and len(found) == count and found)


def slow_worker(local_worker, one="r1"):
    """Start a submission in a thread; returns it and a list that gets its outcome."""
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(local_worker.submitter.submit(one)))
    thread.start()
    return thread, outcomes


def test_a_slow_worker_does_not_delete_the_draft_that_another_one_adopted(local_worker):
    """Its answer comes after its lease: the draft is found by name, exported, and belongs to the render."""
    local_worker.sandbox.control("POST", "faults", call=CREATE, fault="hold", times=1)
    local_worker.accept(PROJECT, "r1")
    thread, outcomes = slow_worker(local_worker)
    held(local_worker)
    local_worker.lapse("r1")
    assert isinstance(local_worker.submit("r1"), Submitted)
    local_worker.sandbox.control("POST", "release")
    thread.join(60)
    assert outcomes == [NotMyTurn()]
    record, (seen,) = finished(local_worker)
    assert (seen["exports"], seen["deleted"]) == (1, False)
    assert record["state"] == "delivered"


def test_a_slow_worker_whose_export_is_refused_deletes_nothing_of_another_one(local_worker):
    local_worker.accept(PROJECT, "r1")
    local_worker.sandbox.control("POST", "faults", call=EXPORT, fault="hold-before", times=1)
    thread, outcomes = slow_worker(local_worker)
    held(local_worker)
    local_worker.lapse("r1")
    record, (revoked, seen) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)
    local_worker.sandbox.control("POST", "release")  # refused: its draft is gone
    thread.join(60)
    assert outcomes == [NotMyTurn()]
    shown = {one["id"]: (one["exports"], one["deleted"]) for one in local_worker.seen()}
    assert shown == {revoked["id"]: (0, True), seen["id"]: (1, False)}
    assert local_worker.sandbox.counts()["DELETE /api/odin/v3/editor/project"] == 1
    assert local_worker.record("r1")["state"] == "delivered"


def test_a_draft_made_for_a_render_that_was_canceled_meanwhile_is_deleted(local_worker):
    local_worker.sandbox.control("POST", "faults", call=CREATE, fault="hold", times=1)
    one = local_worker.accept(PROJECT, "5f0c" * 8)
    thread, outcomes = slow_worker(local_worker, one)
    held(local_worker)
    assert Commands(local_worker.ledger).cancel(one) == "canceled"
    local_worker.sandbox.control("POST", "release")
    thread.join(60)
    assert outcomes == [NotMyTurn()]
    for member in local_worker.redis.zrange("renderline:orphan_drafts:main", 0, -1):
        local_worker.redis.zadd("renderline:orphan_drafts:main", {member: 1})
    OrphanSweep(local_worker.ledger, lease=5.0).run(local_worker.accounts["main"])
    (seen,) = local_worker.seen()
    assert (seen["exports"], seen["deleted"]) == (0, True)


# -- the account


def test_the_vendors_429_silences_the_account_for_every_step(local_worker):
    local_worker.accept(PROJECT, "looked-at")
    local_worker.submit("looked-at")
    local_worker.sandbox.control("POST", "faults", call=CREATE, fault="429", seconds=5, times=1)
    local_worker.accept(PROJECT, "r1")
    outcome = local_worker.submitter.submit("r1")
    assert isinstance(outcome, Parked)
    assert 3000 <= local_worker.redis.pttl("renderline:backoff:main") <= 5000
    record = local_worker.record("r1")
    assert record["state"] == "submitting"
    assert "429" in record["note"]
    before = local_worker.sandbox.counts()
    assert isinstance(local_worker.submitter.submit("r1"), NotMyTurn)
    local_worker.accept(PROJECT, "r2")
    assert isinstance(local_worker.submitter.submit("r2"), NotMyTurn)
    local_worker._pump(local_worker.wakes.pop())
    assert {name: count for name, count in local_worker.sandbox.counts().items() if "/api/" in name} == {
        name: count for name, count in before.items() if "/api/" in name
    }
    assert local_worker.record("looked-at")["polls"] == 0
    local_worker.redis.delete("renderline:backoff:main")
    until(lambda: isinstance(local_worker.submitter.submit("r1"), Submitted), what="its turn at the lower pace")


def test_a_429_on_a_look_silences_submissions_too(local_worker):
    local_worker.accept(PROJECT, "r1")
    local_worker.submit("r1")
    local_worker.sandbox.control("POST", "faults", call=PROGRESS, fault="429", seconds=30, times=1)
    local_worker._pump(local_worker.wakes.pop())
    local_worker.accept(PROJECT, "r2")
    assert isinstance(local_worker.submitter.submit("r2"), NotMyTurn)
    assert len(local_worker.seen()) == 1
    assert local_worker.record("r1")["state"] == "rendering"


def test_refused_credentials_keep_the_work_waiting(redis, start_sandbox):
    key = "0b0b0b0b-1111-2222-3333-444444444444"
    sandbox = start_sandbox("--render-seconds", "0.2", "--app-id", "studio.acme", "--user-key", key)
    wrong = LocalWorker(redis, sandbox, user_key="9" * 36)
    wrong.accept(PROJECT, "r1")
    outcome = wrong.submitter.submit("r1")
    assert isinstance(outcome, RetryIn)
    assert outcome.seconds == 30.0
    record = wrong.record("r1")
    assert (record["state"], record["error"]) == ("submitting", None)
    assert "9" * 8 not in str(record)
    assert wrong.seen() == []
    redis.delete("renderline:token:main:failure")  # the operator corrects the key and starts the workers anew
    right = LocalWorker(redis, sandbox, user_key=key)
    record, (seen,) = finished(right)
    assert (record["state"], seen["exports"]) == ("delivered", 1)
    wrong.close()
    right.close()


@pytest.mark.parametrize("token", [False, True], ids=["cold", "with-token"])
@pytest.mark.parametrize("away", ["nobody-answers", "503"])
def test_what_was_accepted_waits_however_long_the_vendor_is_away(local_worker, away, token):
    """No attempt counts against a render as long as the vendor cannot be reached."""
    local_worker.accept(PROJECT, "r1")
    if token:
        local_worker.tokens.current()
    if away == "503":
        local_worker.sandbox.control("POST", "outage", on=True)
    else:
        local_worker.sandbox.control("POST", "faults", call="*", fault="drop-before")
    for _ in range(40):
        local_worker.redis.delete("renderline:token:main:failure")
        assert isinstance(local_worker.submitter.submit("r1"), RetryIn)
    local_worker.sandbox.control("POST", "outage", on=False)
    local_worker.sandbox.control("DELETE", "faults")
    local_worker.redis.delete("renderline:token:main:failure")
    record, (seen,) = finished(local_worker)
    assert (record["state"], seen["exports"]) == ("delivered", 1)


def test_a_vendor_that_answers_with_errors_for_ever_is_given_up(new_local_worker):
    local_worker = new_local_worker()
    local_worker.accept(PROJECT, "r1")
    local_worker.tokens.current()
    local_worker.sandbox.control("POST", "faults", call=CREATE, fault="500")
    outcomes = [local_worker.submitter.submit("r1") for _ in range(30)]
    assert all(isinstance(outcome, RetryIn) for outcome in outcomes[:29])
    assert isinstance(outcomes[29], Refused)
    record = local_worker.record("r1")
    assert record["state"] == "failed"
    assert "given up after 30 failures" in record["error"]["message"]
    assert local_worker.exports() == 0
