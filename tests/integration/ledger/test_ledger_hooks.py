"""The hooks that a finished render owes: in order, one try at a time, settled once; and dropping its record."""

import pytest

from harness.ledger import LEASE


def settle(book, index, outcome, **details):
    claim = book.ledger.claim_hook("r1", index, lease=LEASE)
    assert claim.verdict == "yours", claim
    return book.ledger.settle_hook("r1", index, claim, outcome=outcome, **details)


def verdict(book, index):
    return book.ledger.claim_hook("r1", index, lease=LEASE).verdict


def test_hooks_do_not_wait_for_each_other(book):
    book.completed(hooks=3)
    assert book.ledger.owed_hooks(["r1"]) == [[0, 1, 2]]
    assert settle(book, 1, "delivered") == "completed"
    assert verdict(book, 1) == "done"
    assert settle(book, 0, "skipped") == "completed"
    assert book.ledger.owed_hooks(["r1"]) == [[2]]
    assert settle(book, 2, "delivered") == "delivered"
    assert verdict(book, 2) == "over"
    assert [hook["state"] for hook in book.record()["hooks"]] == ["skipped", "delivered", "delivered"]
    book.sound()
    assert book.stands("wake") is None


def test_a_render_without_an_end_has_no_hooks_to_run(book):
    book.accept(hooks=1)
    assert verdict(book, 0) == "over"
    book.started()
    assert verdict(book, 0) == "over"
    assert verdict(book, 7) == "over"
    assert book.ledger.claim_hook("nobody", 0, lease=LEASE).verdict == "over"


def test_a_hook_that_the_request_does_not_have(book):
    book.completed(hooks=1)
    settle(book, 0, "retrying", retry_in=10.0)
    assert verdict(book, 1) in ("early", "over")
    assert book.ledger.claim_hook("r1", 5, lease=LEASE).verdict in ("early", "over")


def test_one_hook_is_tried_by_one_worker_at_a_time(book):
    book.completed(hooks=1)
    first = book.ledger.claim_hook("r1", 0, lease=LEASE)
    second = book.ledger.claim_hook("r1", 0, lease=LEASE)
    assert (first.verdict, second.verdict, second.seconds) == ("yours", "busy", LEASE)
    book.clock.forward(LEASE + 0.01)
    third = book.ledger.claim_hook("r1", 0, lease=LEASE)
    assert third.verdict == "yours"
    assert book.ledger.settle_hook("r1", 0, first, outcome="dead", error="too late") == "completed"
    assert book.record()["hooks"][0] == {"type": "http", "state": "pending", "attempts": 2, "error": None, "at": None}
    assert book.ledger.settle_hook("r1", 0, third, outcome="delivered") == "delivered"
    assert book.ledger.settle_hook("r1", 0, third, outcome="dead", error="twice") == "delivered"


def test_a_hook_that_takes_long_keeps_its_claim(book):
    book.completed(hooks=1)
    claim = book.ledger.claim_hook("r1", 0, lease=LEASE)
    for _ in range(5):
        book.clock.forward(LEASE - 1)
        assert book.ledger.renew_hook("r1", 0, claim, lease=LEASE)
        assert verdict(book, 0) == "busy"
        assert book.ledger.silent() == []
    book.clock.forward(LEASE + 1)
    newer = book.ledger.claim_hook("r1", 0, lease=LEASE)
    assert newer.verdict == "yours"
    assert not book.ledger.renew_hook("r1", 0, claim, lease=LEASE)
    book.ledger.settle_hook("r1", 0, newer, outcome="delivered")
    assert not book.ledger.renew_hook("r1", 0, newer, lease=LEASE)
    assert book.stands("wake") is None


def test_a_retry_is_not_taken_before_its_time(book):
    book.completed(hooks=1)
    assert settle(book, 0, "retrying", retry_in=10.0, error="answered 500") == "completed"
    hook = book.record()["hooks"][0]
    assert (hook["state"], hook["attempts"], hook["error"]) == ("retrying", 1, "answered 500")
    book.clock.forward(9.0)
    assert verdict(book, 0) == "busy"
    assert book.ledger.silent() == []
    book.clock.forward(0.8)  # a message may come a little early
    assert verdict(book, 0) == "yours"


def test_a_lost_retry_is_sent_again_soon_after_its_time(book):
    book.completed(hooks=1)
    settle(book, 0, "retrying", retry_in=300.0, error="answered 500")
    book.clock.forward(299.0)
    assert book.ledger.silent() == []
    book.clock.forward(2.1)
    assert book.ledger.silent() == [("r1", "completed", "normal")]


def test_a_dead_hook_makes_the_render_undelivered_after_the_others(book):
    book.completed(hooks=2)
    assert settle(book, 0, "dead", error="gone") == "completed"
    assert book.redis.zrange("renderline:dead", 0, -1) == ["r1:0"]
    assert settle(book, 1, "delivered") == "undelivered"
    assert book.record()["hooks"][0]["error"] == "gone"
    book.sound()


@pytest.mark.parametrize("end", ["failed", "expired"])
def test_a_failed_render_stays_failed_while_its_hooks_run(book, end):
    book.accept(hooks=2)
    (look,) = book.look(book.started())
    book.find(look, end, message="no")
    book.sound()
    assert settle(book, 0, "retrying", retry_in=5.0, error="x") == end
    book.clock.forward(5.0)
    assert settle(book, 0, "dead", error="x") == end
    assert settle(book, 1, "delivered") == end
    assert book.ledger.owed_hooks(["r1"]) == [[]]
    assert book.stands("wake") is None
    assert verdict(book, 1) == "done"


def test_the_outcome_of_a_hook_is_part_of_the_record(book):
    book.completed(hooks=2)
    settle(book, 0, "delivered", fields={"stored_url": "file:///videos/r1.mp4"})
    record = book.record()
    assert record["stored_url"] == "file:///videos/r1.mp4"
    assert record["hooks"][0]["at"] is not None


@pytest.mark.parametrize(
    "fields", [{"bytes": 12345, "seconds": 1.5}, {"good": True}, {"nothing": None}, {"more": {"a": [1]}}], ids=str
)
def test_whatever_a_hook_tells_it_is_settled(book, fields):
    """Hook kinds come from other packages too; what they return must not leave a render half settled."""
    book.completed(hooks=1)
    assert settle(book, 0, "delivered", fields=fields) == "delivered"
    book.sound()


@pytest.mark.parametrize("field", ["state", "hooks", "h0", "account", "fence", "stage"])
def test_a_hook_cannot_overwrite_what_the_ledger_keeps(book, field):
    book.completed(hooks=1)
    before = book.redis.hget("renderline:render:r1", field)
    settle(book, 0, "delivered", fields={field: "forged"})
    after = book.redis.hget("renderline:render:r1", field)
    assert after != "forged"
    if field in ("hooks", "account", "fence", "stage"):
        assert after == before
    assert book.state() == "delivered"


def test_a_hook_of_an_earlier_attempt_says_nothing_about_the_next_one(book):
    book.accept(hooks=1)
    (look,) = book.look(book.started())
    book.find(look, "failed", message="no")
    running = book.ledger.claim_hook("r1", 0, lease=LEASE)
    assert book.operations.retry("r1")
    assert book.ledger.settle_hook("r1", 0, running, outcome="delivered") == "accepted"
    assert book.ledger.owed_hooks(["r1"]) == [[0]]
    assert book.record()["hooks"][0]["state"] == "pending"


# -- the end of a record


def keys_about(book, one="r1"):
    """Return every key that still knows the render, but for the stream of events and the list of drafts to look for,
    which are emptied in ways of their own, and answers that are kept for a minute."""
    found = []
    for key in book.redis.scan_iter(f"{book.ledger.prefix}*"):
        kind = book.redis.type(key)
        if key in ("renderline:events", "renderline:suspects:main") or key.startswith("renderline:answer:"):
            continue
        members = {
            "zset": lambda key: book.redis.zrange(key, 0, -1),
            "list": lambda key: book.redis.lrange(key, 0, -1),
            "set": lambda key: list(book.redis.smembers(key)),
            "hash": lambda key: [*book.redis.hgetall(key).keys(), *book.redis.hgetall(key).values()],
            "string": lambda key: [book.redis.get(key)],
        }[kind](key)
        if one in key or any(one in str(member) for member in members):
            found.append(key)
    return found


@pytest.mark.parametrize("end", ["delivered", "undelivered", "failed", "expired", "canceled"])
def test_nothing_is_left_of_a_record_that_was_kept_long_enough(book, end):
    book.accept(hooks=2)
    if end == "canceled":
        book.operations.cancel("r1")
    else:
        (look,) = book.look(book.started())
        url = "https://v/1.mp4"
        book.find(look, end if end in ("failed", "expired") else "done", url=url, message="x")
    for index in book.ledger.owed_hooks(["r1"])[0]:
        if verdict(book, index) == "over":
            break
        book.clock.forward(LEASE + 1)
        settle(book, index, "dead" if end == "undelivered" else "delivered")
    assert book.state() == end
    assert book.ledger.forget(retention=100.0) == 0
    assert keys_about(book)
    book.clock.forward(101.0)
    assert book.ledger.forget(retention=100.0) == 1
    assert keys_about(book) == []
    assert book.ledger.record("r1") is None


def test_a_record_is_not_dropped_while_it_owes_hooks(book):
    book.accept(hooks=1)
    (look,) = book.look(book.started())
    book.find(look, "failed", message="x")
    book.clock.forward(1e6)
    assert book.ledger.forget(retention=100.0) == 0
    settle(book, 0, "delivered")
    assert book.ledger.forget(retention=100.0) == 1


def test_a_living_render_is_never_dropped(book):
    for one in "abc":
        book.accept(one)
    book.claim("b")
    book.started("c")
    book.clock.forward(1e9)
    assert book.ledger.forget(retention=1.0) == 0


def test_a_retried_render_leaves_nothing_behind_either(book):
    book.accept(hooks=1)
    (look,) = book.look(book.started())
    book.find(look, "failed", message="x")
    settle(book, 0, "dead", error="x")
    assert book.operations.retry("r1")
    assert book.redis.zrange("renderline:dead", 0, -1) == []
    (look,) = book.look(book.started() or book.ledger.pumps()[0])
    book.find(look, "done", url="https://v/2.mp4")
    settle(book, 0, "delivered")
    assert book.record()["attempt"] == 2
    assert [past["state"] for past in book.record()["history"]] == ["failed"]
    book.clock.forward(1000)
    assert book.ledger.forget(retention=100.0) == 1
    assert keys_about(book) == []


def test_a_record_is_small(book):
    renders = 100
    for index in range(renders):
        one = f"{index:032x}"
        book.accept(one, hooks=2, fingerprint="f" * 64)
        book.started(one)
    book.clock.forward(2.0)
    batch = book.ledger.claim_due("main", slot=0, ticket=1, limit=renders, lease=LEASE)
    for look in batch.looks:
        book.find(look, "wait", look_in=1.0, progress=33.3)
    bodies = sum(book.redis.memory_usage(f"renderline:body:{index:032x}") for index in range(renders))
    whole = sum(book.redis.memory_usage(key, samples=0) for key in book.redis.scan_iter("renderline:*"))
    assert (whole - bodies) / renders < 3000
