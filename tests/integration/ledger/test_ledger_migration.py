"""A ledger of schema 1, with renders in every state, goes on under schema 2 where it was."""

from collections import Counter

import pytest
from redis import Redis

from harness.ledger import GRACE, LEASE, LedgerDriver
from renderline.ledger import Queries, schema
from renderline.ledger.keys import Keys
from renderline.ledger.migration import Migration, OldWorkersAlive
from renderline.ledger.schema import MIGRATING, SchemaMismatch, check_schema, found_version, old_writes
from tests.integration.ledger.old_ledger import DUMP, load

OLD_FIELDS = {"looking_until", "look_again", "hinted", "hinted_url", "told"}
OLD_KEYS = ("wake", "served", "dead", "limits", "hookowners", "turn", "quarantined")
OLD_FAMILIES = (
    "standing",
    "hooks",
    "hookhosts",
    "quiet",
    "pace",
    "suspects",
    "heard",
    "stored",
    "owners",
    "turns",
    "skew",
)


def whole(redis: Redis) -> dict[str, object]:
    """Return every key's bytes."""
    return {key: redis.execute_command("DUMP", key, NEVER_DECODE=True) for key in redis.scan_iter("*")}


@pytest.fixture
def old(redis: Redis) -> LedgerDriver:
    """The ledger of schema 1, at the time when it was dumped."""
    load(redis)
    driver = LedgerDriver(redis)
    driver.clock.now = DUMP["now"]
    yield driver
    redis.flushall()


@pytest.fixture
def migrated(old: LedgerDriver) -> LedgerDriver:
    Migration(old.redis, batch=7).run()
    return old


def test_nothing_of_the_old_names_is_left(migrated):
    names = {key.removeprefix("renderline:").split(":")[0] for key in migrated.redis.scan_iter("*")}
    assert not names.intersection((*OLD_KEYS, *OLD_FAMILIES))
    assert migrated.redis.exists("renderline:token:main:failure")
    fields = {
        field
        for key in migrated.redis.scan_iter("renderline:render:*")
        if migrated.redis.type(key) == "hash"
        for field in migrated.redis.hkeys(key)
    }
    assert not fields & OLD_FIELDS
    assert {"polling_until", "webhook_hint", "reported_url", "webhook_done"} <= fields


def contents(redis: Redis) -> Counter[bytes]:
    """Return the bytes of every key but the records, whatever its name."""
    return Counter(
        redis.execute_command("DUMP", key, NEVER_DECODE=True)
        for key in redis.scan_iter("*")
        if ":render:" not in key and key != "renderline:schema"
    )


def expiring(redis: Redis) -> int:
    return sum(redis.pttl(key) > 0 for key in redis.scan_iter("*"))


def test_every_key_is_kept_with_its_content(old):
    before = contents(old.redis), expiring(old.redis)
    Migration(old.redis).run()
    assert (contents(old.redis), expiring(old.redis)) == before


@pytest.mark.parametrize("one", sorted(DUMP["states"]))
def test_each_render_is_where_it_was(migrated, one):
    assert migrated.state(one) == DUMP["states"][one]
    migrated.check_indexes(one)


def polls_of(driver):
    """Claim all that is due, over all the pumps that the sweep starts."""
    driver.clock.forward(2 * GRACE)
    return {due.id: due for wake in driver.ledger.restart_pumps() for due in driver.claim_due_polls(wake)}


def deliver(driver, one):
    claim = driver.ledger.claim_hook(one, 0, lease=LEASE)
    assert claim.status == "yours"
    return driver.ledger.record_hook(one, 0, claim, outcome="delivered")


def test_renders_at_the_vendor_go_on_to_their_end(migrated):
    polls = polls_of(migrated)
    assert set(polls) == {"rendering", "claimed", "told", "unconfirmed", "revoking"}
    assert (polls["told"].webhook_done, polls["told"].reported_url) == (True, "https://v/told.mp4")
    assert polls["told"].webhooks_alive
    assert polls["revoking"].revoking
    assert (polls["rendering"].progress, polls["rendering"].webhook_done) == (25.0, False)
    assert migrated.record_result(polls["rendering"], "done", url="https://v/1.mp4") == [("rendering", "delivered")]
    assert migrated.record_result(polls["told"], "done", url="https://v/2.mp4") == [("told", "delivered")]
    assert migrated.record_result(polls["unconfirmed"], "started", project_id="p-unconfirmed", poll_in=1.0)
    assert migrated.record_result(polls["revoking"], "revoked", project_id="p-revoking") == [("revoking", "submitting")]


def test_a_webhook_during_a_poll_that_was_under_way_has_it_polled_again(old):
    assert old.redis.hget("renderline:render:claimed", "look_again") == "1"
    Migration(old.redis).run()
    epoch = int(old.redis.hget("renderline:render:claimed", "epoch"))
    due = polls_of(old)["claimed"]
    assert due.epoch == epoch + 1
    old.record_result(due, "wait", poll_in=500.0)
    assert old.score_in("due:main", "claimed") == old.clock.now, "the webhook came while it was polled"


def test_submissions_go_on(migrated):
    stalled = {one for _ in range(3) for one, _, _ in (migrated.clock.forward(GRACE * 2), migrated.ledger.stalled())[1]}
    assert {"announced", "drafted", "hinted", "revoked"} <= stalled
    claim = migrated.ledger.claim_submission("drafted", lease=LEASE)
    assert (claim.stage, claim.intent, claim.project_id) == ("export", "export", "p-drafted")
    assert migrated.ledger.start(claim, confirmed=True, project_id="p-drafted", poll_in=5.0)[0]
    hinted = migrated.ledger.claim_submission("hinted", lease=LEASE)
    recorded, _ = migrated.ledger.start(hinted, confirmed=False, project_id=None, poll_in=5.0)
    assert (recorded, migrated.state("hinted")) == (True, "rendering"), "its webhook was faster than the answer"
    assert migrated.claim("revoked").draft == 2


def test_parked_and_queued_submissions_keep_their_turn(migrated):
    assert migrated.limits.unpark() == []
    assert migrated.redis.zcard("renderline:queued:submit.normal:busy") == 8
    migrated.operations.resume("paused")
    assert migrated.limits.unpark() == [("parked", "normal")]
    assert migrated.ledger.claim_submission("busy-0", lease=LEASE)
    assert [one for one, _ in migrated.limits.unpark()] == ["busy-8"]


def test_hooks_go_on(migrated):
    (held,) = Queries(migrated.ledger).held_hooks(["host", "anywhere"])
    assert (held.render_id, held.host) == ("host", "hooks.example.com")
    migrated.clock.forward(60.0)
    taken = migrated.ledger.take_hooks(10).hooks
    assert set(taken) == {("host", 0), ("anywhere", 0)}
    for one in ("completed", "running", "retrying", "host", "anywhere"):
        assert deliver(migrated, one) == "delivered"


def test_ended_renders_keep_what_they_owe(migrated):
    (letter,) = Queries(migrated.ledger).dead_letters()
    assert letter["id"] == "undelivered"
    assert migrated.operations.replay("undelivered", 0)
    assert deliver(migrated, "undelivered") == "delivered"
    assert migrated.ledger.claim_stored_projects("main", limit=9, lease=LEASE) == ["delivered"]
    assert len(migrated.record("retried")["history"]) == 1
    assert migrated.operations.retry("expired")


def test_accounts_wait_as_they_did(migrated):
    assert migrated.operations.holds() == {"refused": "not enough credits"}
    assert migrated.limits.backoff("outage").circuit_open
    assert migrated.redis.get("renderline:backoff:slow") == DUMP["keys"]["renderline:quiet:slow"]["value"]
    assert migrated.operations.paused() == {"paused"}
    assert migrated.redis.hget("renderline:slot_limits", "main") == "50"
    migrated.clock.forward(GRACE * 10)
    assert {one for one, _, _ in migrated.ledger.claim_orphan_drafts("main", limit=99, lease=LEASE)} >= {"revoked"}


def test_what_waits_for_people_is_kept(migrated):
    (alarm,) = migrated.operations.alarms()
    assert (alarm.render_id, alarm.draft) == ("revoked", 1)
    assert migrated.redis.xlen("renderline:quarantine") == 1
    assert migrated.redis.hget("renderline:quarantine_counts", "record") == "1"
    assert migrated.redis.hget("renderline:token:main", "token") == "t"
    assert migrated.redis.xlen("renderline:events") == len(DUMP["keys"]["renderline:events"]["value"])


def test_a_second_migration_changes_nothing(migrated):
    before = whole(migrated.redis)
    assert not Migration(migrated.redis).run().keys
    assert whole(migrated.redis) == before


def test_counts_are_shown_and_a_dry_run_changes_nothing(old):
    before = whole(old.redis)
    planned = Migration(old.redis).run(dry=True)
    assert whole(old.redis) == before
    done = Migration(old.redis).run()
    assert (done.keys, done.fields) == (planned.keys, planned.fields)
    assert done.keys["standing"] == 2
    assert done.fields > 5


class Killed(BaseException):
    """The process dies."""


@pytest.mark.parametrize("batches", range(0, 20, 3))
def test_a_migration_that_was_killed_is_run_again(old, batches):
    migration, seen = Migration(old.redis, batch=5), []
    migrate = migration._migrate

    def dying(batch, done, *, dry):
        seen.append(batch)
        if len(seen) > batches:
            raise Killed
        migrate(batch, done, dry=dry)

    migration._migrate = dying
    with pytest.raises(Killed):
        migration.run()
    assert found_version(old.redis) == MIGRATING
    with pytest.raises(SchemaMismatch, match=r"has not finished.*renderline migrate"):
        check_schema(old.redis)
    Migration(old.redis).run()
    killed = whole(old.redis)
    old.redis.flushall()
    load(old.redis)
    Migration(old.redis).run()
    assert whole(old.redis).keys() == killed.keys()
    assert {one: old.state(one) for one in DUMP["states"]} == DUMP["states"]


def test_it_waits_for_the_old_workers(old):
    old.redis.zadd("renderline:served", {"account:main": old.redis.time()[0]})
    with pytest.raises(OldWorkersAlive, match="account:main"):
        Migration(old.redis).run()
    assert found_version(old.redis) == "1"
    Migration(old.redis).run(force=True)
    check_schema(old.redis)


def test_what_an_old_worker_wrote_during_a_forced_migration_is_not_lost(old):
    """A gateway of the old version accepted a render after its index had been renamed."""
    keys = Keys()
    old.redis.zadd(f"{keys.prefix}resend", {"accepted": 5.0})
    old.redis.hset(f"{keys.prefix}slot_limits", mapping={"main": "7", "newer": "9"})
    old.redis.hset(f"{keys.prefix}limits", "older", "3")
    old.redis.hset(f"{keys.prefix}render:hinted", "webhook_hint", "7.000")
    Migration(old.redis).run()
    record = old.redis.hgetall(f"{keys.prefix}render:hinted")
    assert (record["webhook_hint"], record.get("hinted")) == ("7.000", None)
    limits = old.redis.hgetall(f"{keys.prefix}slot_limits")
    assert limits == {**DUMP["keys"]["renderline:limits"]["value"], "main": "7", "newer": "9", "older": "3"}
    assert old.redis.zscore(f"{keys.prefix}resend", "accepted") > 5.0
    assert old.redis.zcard(f"{keys.prefix}resend") == len(DUMP["keys"]["renderline:wake"]["value"])


@pytest.mark.parametrize("key", ["renders", *OLD_KEYS])
def test_each_key_that_only_version_1_has_without_a_version_shows_it(redis, key):
    redis.zadd(f"renderline:{key}", {"x": 1.0})
    assert found_version(redis) == "1"


def test_a_process_that_finds_no_version_does_not_write_over_one_that_came_meanwhile(redis, monkeypatch):
    monkeypatch.setattr(schema, "found_version", lambda *_, **__: "")
    redis.set("renderline:schema", "3")
    check_schema(redis)
    assert redis.get("renderline:schema") == "3"


def test_what_an_old_process_wrote_after_the_migration_is_found_and_merged(migrated):
    redis, one = migrated.redis, "0" * 32
    assert not old_writes(redis)
    redis.zadd("renderline:wake", {one: 5.0})
    assert old_writes(redis)
    Migration(redis).run(force=True)
    assert redis.zscore("renderline:resend", one) == 5.0
    assert not old_writes(redis)


def test_an_empty_redis_is_given_the_version(redis):
    assert found_version(redis) == ""
    check_schema(redis)
    assert redis.get("renderline:schema") == "2"
    assert not Migration(redis).run().keys


def test_a_redis_that_was_emptied_under_running_workers_is_no_old_one(driver):
    driver.accept()
    check_schema(driver.redis)
    driver.redis.flushall()
    driver.ledger.announce_capabilities(["account:main"])
    assert driver.redis.get("renderline:schema") == "2"


@pytest.mark.parametrize(
    ("found", "told"),
    [(None, "has schema 1; this program needs 2.*renderline migrate"), ("3", "older than the ledger.*deploy")],
)
def test_another_schema_is_refused(old, found, told):
    if found:
        old.redis.set("renderline:schema", found)
    with pytest.raises(SchemaMismatch, match=told):
        check_schema(old.redis)


def test_a_newer_ledger_is_not_migrated(old):
    old.redis.set("renderline:schema", "3")
    before = whole(old.redis)
    for dry in (False, True):
        with pytest.raises(SchemaMismatch):
            Migration(old.redis).run(dry=dry)
    assert whole(old.redis) == before
