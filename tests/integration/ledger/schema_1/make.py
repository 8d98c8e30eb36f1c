"""Wrote `ledger.json` beside it, with the last code of ledger schema 1 (commit 86519f9). It does not run on later code.

    git worktree add ../schema-1 86519f9
    cd ../schema-1 && PYTHONPATH=. python <this file> > ledger.json

The ledger holds renders in every state and every kind of key, at a time that the file names. What Redis expires
has the time that was left.
"""

import json
import sys
import tempfile
from pathlib import Path

from redis import Redis
from tests.integration.core.conftest import LEASE, Book
from tests.parts import Valkey

from renderline.ledger.clock import note_skew


def fill(book: Book) -> dict[str, str]:
    """Bring renders into every state; return the state of each."""
    book.flow.limit({"main": 50})
    book.ledger.serve(["account:main", "api:v3:main", "hook:http"])
    book.flow.hold("refused", reason="not enough credits", seconds=300.0)
    book.flow.call_failed("outage", failures=1, pause=20.0)
    book.flow.slow_down("slow", seconds=30.0)
    note_skew(book.redis, "worker@late", -75.0, prefix="renderline:", seconds=3600.0)
    book.redis.hset("renderline:token:main", mapping={"token": "t", "issued_at": book.clock.now, "expires_at": 4e9})
    book.redis.expire("renderline:token:main", 86_400)
    book.redis.set("renderline:token:main:trouble", "{}", ex=30)
    book.redis.hset("renderline:token:main:refusals", "count", 1)
    book.redis.hset("renderline:keys", "k1", "{}")
    book.redis.rpush("renderline:turns:main", str(book.clock.now))

    ended(book)
    hooks(book)
    followed(book)
    begun(book)

    book.operations.pause("paused")
    book.accept("parked", account="paused")
    assert book.ledger.begin_submission("parked", lease=LEASE) is None
    for number in range(10):
        book.accept(f"busy-{number}", account="busy")
    book.accept("accepted")
    return {one: book.state(one) for one in book.redis.zrange("renderline:renders", 0, -1) if one != "corrupt"}


def ended(book: Book) -> None:
    """Deliver, dead-letter, fail, expire, cancel, retry."""
    book.completed("delivered")
    settle(book, "delivered", "delivered", fields={"stored_url": "s3://b/1.mp4"}, dispose=True)
    book.completed("undelivered")
    settle(book, "undelivered", "dead", error="410")
    for one in ("failed", "retried"):
        book.accept(one)
        assert book.ledger.fail(one, code="X", message="refused", origin="vendor")
    assert book.operations.retry("retried")
    book.accept("canceled")
    book.operations.cancel("canceled")
    book.accept("expired", deadline=100.0)
    book.started("expired")
    (look,) = book.look_again(200.0)
    book.find(look, "error", look_in=1.0, message="away")
    book.clock.forward(100.0)
    assert "expired" in book.ledger.overdue()[0]


def hooks(book: Book) -> None:
    """Leave hooks owed, running, retrying, waiting for a host and for any place."""
    for one in ("completed", "running", "retrying", "host", "anywhere"):
        book.completed(one)
    assert book.ledger.claim_hook("running", 0, lease=LEASE).verdict == "yours"
    settle(book, "retrying", "retrying", retry_in=30.0, error="503")
    for one, host in (("host", "hooks.example.com"), ("anywhere", "")):
        book.ledger.put_off_hook(one, 0, book.ledger.claim_hook(one, 0, lease=LEASE), host=host)
    book.flow.call_failed("hook hooks.example.com", failures=1, pause=20.0)


def followed(book: Book) -> None:
    """Leave renders at the vendor: polled, claimed, announced by a webhook, unconfirmed, with a draft being deleted."""
    for one in ("rendering", "claimed", "revoking", "revoked", "unconfirmed", "told"):
        book.accept(one)
        book.started(one, confirmed=one in ("rendering", "claimed", "told"))
    looks = {look.id: look for look in book.look_again()}
    for one in ("rendering", "told"):
        book.find(looks[one], "wait", look_in=5.0, progress=25.0)
    for one in ("revoking", "revoked"):
        assert book.ledger.announce_revocation(one, epoch=looks[one].epoch, project_id=f"p-{one}")
    book.find(looks["revoking"], "untouched", look_in=60.0)
    book.find(looks["unconfirmed"], "untouched", look_in=60.0)
    book.find(looks["revoked"], "revoked", project_id="p-revoked")
    assert book.operations.hint("revoked", progress=100.0, attempt=1, draft=1)[0] == "revoked"
    hint(book, "claimed")
    hint(book, "told")


def begun(book: Book) -> None:
    """Leave submissions in the hands of workers, and one whose webhook was faster than the answer."""
    for one in ("announced", "drafted", "hinted"):
        book.accept(one)
        claim = book.claim(one)
        assert book.ledger.intend(claim, "draft", lease=LEASE)
        if one != "announced":
            assert book.ledger.advance(claim, stage="export", project_id=f"p-{one}", made=True, lease=LEASE)
    hint(book, "hinted")
    book.accept("corrupt")
    book.redis.delete("renderline:render:corrupt")
    book.redis.set("renderline:render:corrupt", "no hash")
    book.clock.forward(31.0)
    book.ledger.silent()


def hint(book: Book, one: str) -> None:
    """Have the vendor's webhook say that it is done."""
    book.operations.hint(one, progress=100.0, url=f"https://v/{one}.mp4", attempt=1, trust=600.0)


def settle(book: Book, one: str, outcome: str, **options: object) -> None:
    """Try the first hook."""
    book.ledger.settle_hook(one, 0, book.ledger.claim_hook(one, 0, lease=LEASE), outcome=outcome, **options)


def dump(redis: Redis) -> dict[str, object]:
    """Return every key with its type, value and the milliseconds that it has left."""
    read = {
        "string": redis.get,
        "hash": redis.hgetall,
        "set": lambda key: sorted(redis.smembers(key)),
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        "list": lambda key: redis.lrange(key, 0, -1),
        "stream": redis.xrange,
    }
    keys = sorted(key for key in redis.scan_iter("*") if not key.startswith("renderline:answer:"))
    return {
        key: {"type": redis.type(key), "left": redis.pttl(key), "value": read[redis.type(key)](key)} for key in keys
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, Valkey(Path(folder)) as valkey:
        redis = Redis.from_url(valkey.url, decode_responses=True)
        book = Book(redis)
        states = fill(book)
        whole = {"now": book.clock.now, "states": states, "keys": dump(redis)}
    json.dump(whole, sys.stdout, indent=1, sort_keys=True)
