"""Records that a newer version wrote: every step of this version leaves them alone, whatever their state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness import ROOT
from harness.ledger import GRACE, LEASE, LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.explanation import explain
from renderline.forgetting import Forgetter
from renderline.ledger import Filter, HookClaim, PollResult, Queries, Submission
from renderline.ledger.conditions import Conditions
from renderline.ledger.schema import LEVEL, VERSION, known_versions, newer_version
from renderline.ledger.script import _PLAIN, _SHARED, LEFT_ALONE
from renderline.operations import NewerRecord, Operations
from renderline.tenants import COMMAND_LINE

NEXT = f"{VERSION}.{LEVEL + 1}"
DAY = 86_400.0


def parked(driver: LedgerDriver) -> None:
    driver.operations.pause("main")
    driver.accept()
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None
    driver.operations.resume("main")


def held(driver: LedgerDriver) -> None:
    driver.accept()
    driver.operations.hold("r1", by="anna", reason="")


def claimed(driver: LedgerDriver) -> None:
    driver.accept()
    driver.ledger.record_intent(driver.claim(), "draft", lease=LEASE)


def rendering(driver: LedgerDriver) -> None:
    driver.accept()
    driver.start()


def unconfirmed(driver: LedgerDriver) -> None:
    driver.accept()
    driver.start(confirmed=False)


def hooked(driver: LedgerDriver) -> None:
    driver.complete(hooks=2)


def hook_waits(driver: LedgerDriver) -> None:
    driver.complete(hooks=2)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    driver.ledger.defer_hook("r1", 0, claim, host="hooks.example.com")


def undelivered(driver: LedgerDriver) -> None:
    driver.complete(hooks=1)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    driver.ledger.record_hook("r1", 0, claim, outcome="dead", error="refused")


def failed(driver: LedgerDriver) -> None:
    driver.accept()
    driver.ledger.fail("r1", code="bad", message="bad", origin="caller")


def unknown_state(driver: LedgerDriver) -> None:
    """A state that only the newer version has, on the lists of a render that is at the vendor."""
    rendering(driver)
    driver.redis.hset("renderline:render:r1", "state", "archiving")
    driver.redis.zadd("renderline:state:archiving", {"r1": driver.clock.now})
    driver.redis.zrem("renderline:state:rendering", "r1")


STAGES = (
    *(LedgerDriver.accept, parked, held, claimed, rendering, unconfirmed),
    *(hooked, hook_waits, undelivered, failed, unknown_state),
)
stages = pytest.mark.parametrize("stage", STAGES, ids=lambda one: one.__name__)


def whole(driver: LedgerDriver) -> tuple[Any, ...]:
    """All that belongs to the record, without the time at which a list looks at it next."""
    redis, name = driver.redis, "renderline:{}:r1"
    texts = redis.mget(*(name.format(one) for one in ("meta", "body", "history")))
    where = {
        key
        for key in redis.scan_iter("renderline:*")
        if redis.type(key) == "zset" and redis.zscore(key, "r1") is not None
    }
    queued = {key for key in where if ":queued:" in key or ":parked:" in key}
    return redis.hgetall(name.format("render")), texts, redis.lrange(name.format("timeline"), 0, -1), where - queued


@pytest.fixture
def operations(driver: LedgerDriver) -> Operations:
    return Operations(driver.ledger, RecordedDispatcher(), accounts=())


def workers_act(driver: LedgerDriver) -> None:
    """All that workers of this version may come to do: messages, pumps, sweeps, cleanup."""
    ledger = driver.ledger
    said: list[str] = []
    assert ledger.claim_submission("r1", lease=LEASE, unclaimed=said.append) is None
    assert said == [f"it is left to workers of its version of records: {NEXT}"]
    for index in (0, 1):
        assert ledger.claim_hook("r1", index, lease=LEASE).status == "newer"
    assert ledger.queue_hooks(["r1"]) == ()
    assert ledger.take_hooks(10).hooks == ()
    for wake in ledger.restart_pumps():
        batch = ledger.claim_due_polls("main", slot=wake.slot, ticket=wake.ticket, limit=10, lease=LEASE)
        assert batch is None or batch.polls == []
    assert ledger.stalled() == []
    assert ledger.overdue()[0] == []
    driver.limits.unpark()
    assert ledger.forget(retention=1.0) == 0
    assert ledger.claim_orphan_drafts("main", limit=10, lease=LEASE) == []
    assert ledger.claim_stored_projects("main", limit=10, lease=LEASE) == []
    ledger.quarantine("r1", "main", reason="a fault of this version")


def a_claim_of_before_acts(driver: LedgerDriver, fence: str, hook_fence: str, epoch: int) -> None:
    """What a worker does that took its claim before the record became a newer one."""
    ledger = driver.ledger
    claim = Submission(
        "r1", fence, "project", "main", 1, 1, 1, 0, 600.0, "", None, False, None, None, "", "{}"
    )  # fmt: skip
    assert not ledger.record_intent(claim, "export", lease=LEASE)
    assert not ledger.advance(claim, stage="export", project_id="other", made=True)
    assert not ledger.start(claim, confirmed=True, project_id="other", poll_in=1.0)[0]
    assert not ledger.complete(claim, stage="export", url="https://v/other.mp4")
    assert not ledger.release(claim, retry_in=1.0, note="later")
    assert not ledger.warn(claim, ["odd"])
    assert not ledger.fail("r1", code="x", message="x", origin="renderline", fence=fence)
    hook = HookClaim("yours", hook_fence, 0.0)
    ledger.record_hook("r1", 0, hook, outcome="delivered")
    ledger.defer_hook("r1", 0, hook, host="elsewhere")
    assert not ledger.renew_hook("r1", 0, hook, lease=LEASE)
    assert ledger.release_hook("r1", 0, hook, retry_in=1.0, note="unknown") is None
    assert not ledger.update_download_url("r1", attempt=1, url="https://v/other.mp4")
    for status in ("wait", "done", "failed", "resubmit", "started", "untouched"):
        details = {"url": "u", "code": "x", "message": "x"}
        assert ledger.record_poll_results([PollResult("r1", epoch, status, **details)]) == []


@stages
def test_workers_change_nothing_about_it(driver: LedgerDriver, stage: Callable[[LedgerDriver], object]) -> None:
    stage(driver)
    driver.redis.hset("renderline:render:r1", mapping={"schema": NEXT, "tint": "blue"})
    before = whole(driver)
    fields = before[0]
    for seconds in (0.0, 3.0, 2 * GRACE, 900.0, 10 * DAY):
        driver.clock.forward(seconds)
        workers_act(driver)
        a_claim_of_before_acts(
            driver, fields.get("fence", ""), fields.get("h0:fence", ""), int(fields.get("epoch", "0"))
        )
        assert whole(driver) == before


@stages
def test_operators_are_told_to_use_the_newer_version(
    driver: LedgerDriver, operations: Operations, stage: Callable[[LedgerDriver], object]
) -> None:
    stage(driver)
    driver.redis.hset("renderline:render:r1", "schema", NEXT)
    before = whole(driver)
    acts: list[Callable[[], object]] = [
        lambda: operations.cancel("r1", actor=COMMAND_LINE),
        lambda: operations.retry("r1", actor=COMMAND_LINE),
        lambda: operations.hold("r1", actor=COMMAND_LINE),
        lambda: operations.release("r1", actor=COMMAND_LINE),
        lambda: operations.adopt("r1", "p", actor=COMMAND_LINE),
        lambda: operations.resubmit("r1", actor=COMMAND_LINE),
        lambda: operations.fail("r1", message="no", actor=COMMAND_LINE),
        lambda: operations.replay("r1", 0, actor=COMMAND_LINE),
        lambda: operations.discard("r1", 0, actor=COMMAND_LINE),
    ]
    if stage in (failed, undelivered):
        acts.append(lambda: Forgetter(operations).forget("r1", actor=COMMAND_LINE))
    for act in acts:
        with pytest.raises(NewerRecord, match=f"version {NEXT}; this program handles up to .*of that version"):
            act()
    steps = driver.operations
    answers = [steps.cancel("r1"), steps.hold("r1", by="", reason=""), steps.give_up("r1", message="")]
    assert answers == ["newer"] * 3
    assert not any([steps.release("r1"), steps.resubmit("r1"), steps.adopt("r1", "p")[0], steps.replay("r1", 0)])
    assert not (stage is failed and steps.retry("r1"))
    assert whole(driver) == before


@stages
def test_lists_and_records_show_it_and_say_why_it_is_left(
    driver: LedgerDriver, stage: Callable[[LedgerDriver], object]
) -> None:
    stage(driver)
    driver.redis.hset("renderline:render:r1", "schema", NEXT)
    (record,), _ = Queries(driver.ledger).page(Filter())
    assert record == driver.record()
    assert record["note"].startswith(f"written by a newer version of Renderline (records {NEXT}")
    assert record["state"] == ("archiving" if stage is unknown_state else record["state"])
    (condition,) = Conditions(driver.ledger).of([record])
    assert explain(record, condition, now=driver.clock.now).sentence.startswith("A newer version of Renderline wrote")


def test_one_that_this_version_cannot_even_read_is_listed(driver: LedgerDriver) -> None:
    driver.accept()
    driver.redis.hset("renderline:render:r1", mapping={"schema": NEXT, "attempt": "first", "state": "archiving"})
    (record,), _ = Queries(driver.ledger).page(Filter())
    assert (record["state"], record["error"]["message"][:26]) == ("archiving", "written by a newer version")


def test_those_of_this_version_go_on_beside_it(driver: LedgerDriver) -> None:
    """A newer record is first in every list; what comes after it is done all the same."""
    driver.complete("hooked", hooks=2)
    driver.accept("stalled")
    names = [f"new-{number}" for number in range(120)]
    for name in names:
        driver.accept(name, hooks=1)
        driver.redis.hset(f"renderline:render:{name}", "schema", NEXT)
        for key in ("due:main", "deadline", "resend"):
            driver.redis.zadd(f"renderline:{key}", {name: 1.0})
        driver.redis.zadd("renderline:waiting_hooks:main|*", {f"{name}:0": 1.0})
    claim = driver.ledger.claim_hook("hooked", 0, lease=LEASE)
    driver.ledger.defer_hook("hooked", 0, claim, host="")
    assert ("hooked", 0) in driver.ledger.take_hooks(9).hooks
    driver.accept("late", deadline=100.0)
    driver.start("late")
    driver.clock.forward(20 * GRACE)
    seen = [one for _ in range(9) for one, _, _ in driver.ledger.stalled(limit=50)]
    assert "stalled" in seen
    assert not set(seen) & set(names)
    polled = [due.id for _ in range(9) for due in driver.claim_again(GRACE) if due]
    assert "late" in polled
    driver.clock.forward(2 * GRACE)
    assert "late" in [one for _ in range(9) for one in driver.ledger.overdue()[0]]


def test_it_comes_up_again_soon_where_a_worker_knows_it(driver: LedgerDriver) -> None:
    for known, seconds in ((False, GRACE), (True, 2.0)):
        if known:
            driver.ledger.announce_capabilities([f"schema:{NEXT}"])
        one = f"r{known}"
        driver.accept(one)
        driver.redis.hset(f"renderline:render:{one}", "schema", NEXT)
        assert driver.ledger.claim_submission(one, lease=LEASE) is None
        assert driver.score_in("resend", one) == driver.clock.now + seconds


def test_a_webhook_that_only_this_version_hears_is_noted(driver: LedgerDriver) -> None:
    rendering(driver)
    driver.redis.hset("renderline:render:r1", "schema", NEXT)
    assert driver.operations.record_webhook("r1", url="https://v/1.mp4", credit=2.0)[0] == "rendering"
    fields = driver.redis.hgetall("renderline:render:r1")
    assert (fields["reported_url"], fields["credit"], fields["state"]) == ("https://v/1.mp4", "2.0", "rendering")
    assert driver.score_in("due:main") == driver.clock.now


def test_a_repeated_request_for_it_is_known_and_sends_nothing(driver: LedgerDriver) -> None:
    driver.accept()
    driver.redis.hset("renderline:render:r1", "schema", NEXT)
    assert not driver.accept()
    assert driver.ledger.accept(driver.entry("r1")).due is False


def test_records_of_known_versions_are_handled(driver: LedgerDriver) -> None:
    for one in (f"{VERSION}.0", *known_versions()):
        driver.accept(one)
        driver.redis.hset(f"renderline:render:{one}", "schema", one)
        assert driver.ledger.claim_submission(one, lease=LEASE)
        assert driver.record(one)["note"] is None


@pytest.mark.parametrize("needs", [NEXT, f"{VERSION + 1}.0", "1.9", "", "2", "two", "2.x", "2.10", " 2.0"])
def test_both_languages_agree_on_what_is_newer(driver: LedgerDriver, needs: str) -> None:
    assert newer_version({"schema": needs}) == needs
    driver.accept()
    driver.redis.hset("renderline:render:r1", "schema", needs)
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None


def test_a_kind_of_a_later_level_is_recorded_with_its_version(driver: LedgerDriver) -> None:
    driver.ledger.accept(replace(driver.entry("r1"), level=LEVEL + 1))
    assert driver.redis.hget("renderline:render:r1", "schema") == NEXT
    driver.accept("r2")
    assert driver.redis.hget("renderline:render:r2", "schema") is None


ASKS = {
    *("accept", "cleanup_claim", "hook_claim", "poll_record", "sweep_forget", "submit_claim", "webhook"),
    *("hook_held", "hook_queue", "poll_claim", "sweep_overdue", "sweep_stalled", "unpark"),
    "settle",
}
"""Steps that come to records, and ask `newer` or leave it to `each`."""
NO_RECORD = {
    *(
        "forgetting_claim",
        "back_off",
        "backoff_left",
        "capabilities",
        "capabilities_set",
        "circuit",
        "hold_account",
        "mark_orphan",
    ),
    *("doubt_begin", "doubt_end", "forgetting_claim"),
    *("missing_apis", "pump_sleep", "quota_together", "reindex_begin", "reindex_end", "resume", "slow_down"),
    *("sweep_end", "sweep_lost", "sweep_pumps", "sweep_turn", "unindex_gone", "renders_matching", "hook_take"),
}
"""Steps that change no record. Hooks that `hook_take` takes are those of `known_waiting`."""


def test_every_step_is_known_to_leave_them_alone() -> None:
    folder = ROOT / "renderline/ledger/scripts"
    steps = {path.stem for path in folder.glob("*.lua") if path.name not in _SHARED} - _PLAIN
    assert steps == set(LEFT_ALONE) | ASKS | NO_RECORD, (
        "a new step changes no record of a newer version: add it to LEFT_ALONE in renderline/ledger/script.py, or ask "
        "`newer` in it and add it here (docs/upgrading.md)"
    )
    assert not set(LEFT_ALONE) & ASKS
    assert not ASKS & NO_RECORD
    for step in ASKS:
        text = (folder / f"{step}.lua").read_text()
        assert "newer" in text or "each(" in text


def test_thousands_of_waiting_hooks_of_it_do_not_hold_up_those_of_this_version(driver: LedgerDriver) -> None:
    """After a rollback: the newer version's hooks wait at a host before those of this version."""
    hook_waits(driver)
    key = f"{driver.ledger.prefix}waiting_hooks:main|hooks.example.com"
    with driver.redis.pipeline() as pipe:
        for number in range(2500):
            pipe.hset(driver.ledger.keys.render(f"n{number}"), mapping={"state": "completed", "schema": NEXT})
            pipe.zadd(key, {f"n{number}:0": driver.clock() - 100})
        pipe.execute()
    found = [driver.ledger.take_hooks(1).hooks for _ in range(4)]
    assert (("r1", 0),) in found
    assert driver.redis.zcard(key) == 2500
