"""The hooks that a finished render owes: in order, one try at a time, settled once; and dropping its record."""

import pytest

from harness.ledger import LEASE, owed_hooks


def settle(driver, index, outcome, **details):
    claim = driver.ledger.claim_hook("r1", index, lease=LEASE)
    assert claim.status == "yours", claim
    return driver.ledger.record_hook("r1", index, claim, outcome=outcome, **details)


def status(driver, index):
    return driver.ledger.claim_hook("r1", index, lease=LEASE).status


def test_hooks_do_not_wait_for_each_other(driver):
    driver.complete(hooks=3)
    assert owed_hooks(driver.ledger, "r1") == [0, 1, 2]
    assert settle(driver, 1, "delivered") == "completed"
    assert status(driver, 1) == "done"
    assert settle(driver, 0, "skipped") == "completed"
    assert owed_hooks(driver.ledger, "r1") == [2]
    assert settle(driver, 2, "delivered") == "delivered"
    assert status(driver, 2) == "over"
    assert [hook["state"] for hook in driver.record()["hooks"]] == ["skipped", "delivered", "delivered"]
    driver.check_indexes()
    assert driver.score_in("resend") is None


def test_a_render_without_an_end_has_no_hooks_to_run(driver):
    driver.accept(hooks=1)
    assert status(driver, 0) == "over"
    driver.start()
    assert status(driver, 0) == "over"
    assert status(driver, 7) == "over"
    assert driver.ledger.claim_hook("nobody", 0, lease=LEASE).status == "over"


def test_a_hook_that_the_request_does_not_have(driver):
    driver.complete(hooks=1)
    settle(driver, 0, "retrying", retry_in=10.0)
    assert status(driver, 1) in ("early", "over")
    assert driver.ledger.claim_hook("r1", 5, lease=LEASE).status in ("early", "over")


def test_one_hook_is_tried_by_one_worker_at_a_time(driver):
    driver.complete(hooks=1)
    first = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    second = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    assert (first.status, second.status, second.seconds) == ("yours", "busy", LEASE)
    driver.clock.forward(LEASE + 0.01)
    third = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    assert third.status == "yours"
    assert driver.ledger.record_hook("r1", 0, first, outcome="dead", error="too late") == "completed"
    assert driver.record()["hooks"][0] == {"type": "http", "state": "pending", "attempts": 2, "error": None, "at": None}
    assert driver.ledger.record_hook("r1", 0, third, outcome="delivered") == "delivered"
    assert driver.ledger.record_hook("r1", 0, third, outcome="dead", error="twice") == "delivered"


def test_a_hook_that_takes_long_keeps_its_claim(driver):
    driver.complete(hooks=1)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    for _ in range(5):
        driver.clock.forward(LEASE - 1)
        assert driver.ledger.renew_hook("r1", 0, claim, lease=LEASE)
        assert status(driver, 0) == "busy"
        assert driver.ledger.stalled() == []
    driver.clock.forward(LEASE + 1)
    newer = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    assert newer.status == "yours"
    assert not driver.ledger.renew_hook("r1", 0, claim, lease=LEASE)
    driver.ledger.record_hook("r1", 0, newer, outcome="delivered")
    assert not driver.ledger.renew_hook("r1", 0, newer, lease=LEASE)
    assert driver.score_in("resend") is None


def test_a_retry_is_not_taken_before_its_time(driver):
    driver.complete(hooks=1)
    assert settle(driver, 0, "retrying", retry_in=10.0, error="answered 500") == "completed"
    hook = driver.record()["hooks"][0]
    assert (hook["state"], hook["attempts"], hook["error"]) == ("retrying", 1, "answered 500")
    driver.clock.forward(9.0)
    assert status(driver, 0) == "busy"
    assert driver.ledger.stalled() == []
    driver.clock.forward(0.8)  # a message may come a little early
    assert status(driver, 0) == "yours"


def test_a_lost_retry_is_sent_again_soon_after_its_time(driver):
    driver.complete(hooks=1)
    settle(driver, 0, "retrying", retry_in=300.0, error="answered 500")
    driver.clock.forward(299.0)
    assert driver.ledger.stalled() == []
    driver.clock.forward(2.1)
    assert driver.ledger.stalled() == [("r1", "completed", "normal")]


def test_a_dead_hook_makes_the_render_undelivered_after_the_others(driver):
    driver.complete(hooks=2)
    assert settle(driver, 0, "dead", error="gone") == "completed"
    assert driver.redis.zrange("renderline:dead_letters", 0, -1) == ["r1:0"]
    assert settle(driver, 1, "delivered") == "undelivered"
    assert driver.record()["hooks"][0]["error"] == "gone"
    driver.check_indexes()


@pytest.mark.parametrize("end", ["failed", "expired"])
def test_a_failed_render_stays_failed_while_its_hooks_run(driver, end):
    driver.accept(hooks=2)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, end, message="no")
    driver.check_indexes()
    assert settle(driver, 0, "retrying", retry_in=5.0, error="x") == end
    driver.clock.forward(5.0)
    assert settle(driver, 0, "dead", error="x") == end
    assert settle(driver, 1, "delivered") == end
    assert owed_hooks(driver.ledger, "r1") == []
    assert driver.score_in("resend") is None
    assert status(driver, 1) == "done"


def test_the_outcome_of_a_hook_is_part_of_the_record(driver):
    driver.complete(hooks=2)
    settle(driver, 0, "delivered", fields={"stored_url": "file:///videos/r1.mp4"})
    record = driver.record()
    assert record["stored_url"] == "file:///videos/r1.mp4"
    assert record["hooks"][0]["at"] is not None


@pytest.mark.parametrize(
    "fields", [{"bytes": 12345, "seconds": 1.5}, {"good": True}, {"nothing": None}, {"more": {"a": [1]}}], ids=str
)
def test_whatever_a_hook_tells_it_is_settled(driver, fields):
    """Hook kinds come from other packages too; what they return must not leave a render half settled."""
    driver.complete(hooks=1)
    assert settle(driver, 0, "delivered", fields=fields) == "delivered"
    driver.check_indexes()


@pytest.mark.parametrize("field", ["state", "hooks", "h0", "account", "fence", "stage"])
def test_a_hook_cannot_overwrite_what_the_ledger_keeps(driver, field):
    driver.complete(hooks=1)
    before = driver.redis.hget("renderline:render:r1", field)
    settle(driver, 0, "delivered", fields={field: "forged"})
    after = driver.redis.hget("renderline:render:r1", field)
    assert after != "forged"
    if field in ("hooks", "account", "fence", "stage"):
        assert after == before
    assert driver.state() == "delivered"


def test_a_hook_of_an_earlier_attempt_says_nothing_about_the_next_one(driver):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "failed", message="no")
    running = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    assert driver.operations.retry("r1")
    assert driver.ledger.record_hook("r1", 0, running, outcome="delivered") == "accepted"
    assert owed_hooks(driver.ledger, "r1") == [0]
    assert driver.record()["hooks"][0]["state"] == "pending"


# -- the end of a record


def keys_about(driver, one="r1"):
    """Return every key that still knows the render, but for the stream of events and the list of drafts to look for,
    which are emptied in ways of their own, and answers that are kept for a minute."""
    found = []
    for key in driver.redis.scan_iter(f"{driver.ledger.prefix}*"):
        kind = driver.redis.type(key)
        if key in ("renderline:events", "renderline:orphan_drafts:main") or key.startswith("renderline:answer:"):
            continue
        members = {
            "zset": lambda key: driver.redis.zrange(key, 0, -1),
            "list": lambda key: driver.redis.lrange(key, 0, -1),
            "set": lambda key: list(driver.redis.smembers(key)),
            "hash": lambda key: [*driver.redis.hgetall(key).keys(), *driver.redis.hgetall(key).values()],
            "string": lambda key: [driver.redis.get(key)],
        }[kind](key)
        if one in key or any(one in str(member) for member in members):
            found.append(key)
    return found


@pytest.mark.parametrize("end", ["delivered", "undelivered", "failed", "expired", "canceled"])
def test_nothing_is_left_of_a_record_that_was_kept_long_enough(driver, end):
    driver.accept(hooks=2)
    if end == "canceled":
        driver.operations.cancel("r1")
    else:
        (due_poll,) = driver.claim_due_polls(driver.start())
        url = "https://v/1.mp4"
        driver.record_result(due_poll, end if end in ("failed", "expired") else "done", url=url, message="x")
    for index in owed_hooks(driver.ledger, "r1"):
        if status(driver, index) == "over":
            break
        driver.clock.forward(LEASE + 1)
        settle(driver, index, "dead" if end == "undelivered" else "delivered")
    assert driver.state() == end
    assert driver.ledger.forget(retention=100.0) == 0
    assert keys_about(driver)
    driver.clock.forward(101.0)
    assert driver.ledger.forget(retention=100.0) == 1
    assert keys_about(driver) == []
    assert driver.ledger.record("r1") is None


def test_a_record_is_not_dropped_while_it_owes_hooks(driver):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "failed", message="x")
    driver.clock.forward(1e6)
    assert driver.ledger.forget(retention=100.0) == 0
    settle(driver, 0, "delivered")
    assert driver.ledger.forget(retention=100.0) == 1


def test_a_living_render_is_never_dropped(driver):
    for one in "abc":
        driver.accept(one)
    driver.claim("b")
    driver.start("c")
    driver.clock.forward(1e9)
    assert driver.ledger.forget(retention=1.0) == 0


def test_a_retried_render_leaves_nothing_behind_either(driver):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "failed", message="x")
    settle(driver, 0, "dead", error="x")
    assert driver.operations.retry("r1")
    assert driver.redis.zrange("renderline:dead_letters", 0, -1) == []
    (due_poll,) = driver.claim_due_polls(driver.start() or driver.ledger.restart_pumps()[0])
    driver.record_result(due_poll, "done", url="https://v/2.mp4")
    settle(driver, 0, "delivered")
    assert driver.record()["attempt"] == 2
    assert [past["state"] for past in driver.record()["history"]] == ["failed"]
    driver.clock.forward(1000)
    assert driver.ledger.forget(retention=100.0) == 1
    assert keys_about(driver) == []


def test_a_record_is_small(driver):
    renders = 100
    for index in range(renders):
        one = f"{index:032x}"
        driver.accept(one, hooks=2, fingerprint="f" * 64)
        driver.start(one)
    driver.clock.forward(2.0)
    batch = driver.ledger.claim_due_polls("main", slot=0, ticket=1, limit=renders, lease=LEASE)
    for due_poll in batch.polls:
        driver.record_result(due_poll, "wait", poll_in=1.0, progress=33.3)
    bodies = sum(driver.redis.memory_usage(f"renderline:body:{index:032x}") for index in range(renders))
    whole = sum(driver.redis.memory_usage(key, samples=0) for key in driver.redis.scan_iter("renderline:*"))
    assert (whole - bodies) / renders < 3000
