"""API keys in a real Valkey: shown once, stored hashed, scoped, revoked within seconds."""

import re

import pytest

from harness.clock import Clock
from renderline.gateway.access import AccessDenied
from renderline.gateway.api_keys import CACHED, USED_EVERY, ApiKeys
from renderline.tenants import Actor


@pytest.fixture
def clock():
    return Clock(1_800_000_000.0)


@pytest.fixture
def keys(redis, clock):
    return ApiKeys(redis, clock=clock)


def refusal(keys, header, scope="read"):
    with pytest.raises(AccessDenied) as denied:
        keys.check(header, scope)
    return denied.value.status, str(denied.value)


def test_a_key_lets_its_owner_in(keys):
    text = keys.create("billing", ["submit", "read"])
    key_id = text.split("_")[1]
    for scope in ("submit", "read"):
        assert keys.check(f"Bearer {text}", scope) == Actor(
            door="http", tenant="default", key_id=key_id, name="billing"
        )


def test_the_text_of_a_key_is_recognisable_and_random(keys):
    texts = {keys.create("same", ["read"]) for _ in range(50)}
    assert len(texts) == 50
    assert all(re.fullmatch(r"rl_[0-9a-f]{12}_[\w-]{43}", text) for text in texts)


def test_nothing_in_redis_holds_a_key(keys, redis):
    text = keys.create("billing", ["read"])
    secret = text.split("_", 2)[2]
    keys.check(f"Bearer {text}", "read")
    read = {"hash": redis.hgetall, "stream": redis.xrange}
    everything = [read[redis.type(name)](name) for name in redis.keys("*")]
    assert everything
    assert secret not in repr(everything)
    assert secret not in repr(keys)
    assert secret not in repr(keys.list())


@pytest.mark.parametrize("scopes", [[], ["write"], ["read", "write"], [""]])
def test_a_scope_that_there_is_not_is_refused(keys, scopes):
    with pytest.raises(ValueError, match="submit, read, admin"):
        keys.create("billing", scopes)
    assert keys.list() == []


@pytest.mark.parametrize("name", ["", "  ", "n" * 101])
def test_a_key_needs_a_name(keys, name):
    with pytest.raises(ValueError, match="name"):
        keys.create(name, ["read"])


def test_scopes_may_come_from_anything_that_can_be_walked_once(keys):
    keys.create("billing", (scope for scope in ("admin", "submit", "submit")))
    assert keys.list()[0].scopes == ("submit", "admin")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [(["submit"], {"submit"}), (["read"], {"read"}), (["admin"], {"submit", "read", "admin"})],
)
def test_a_key_is_good_for_its_scopes_alone(keys, scopes, allowed):
    header = f"Bearer {keys.create('billing', scopes)}"
    for scope in ("submit", "read", "admin"):
        if scope in allowed:
            assert keys.check(header, scope)
        else:
            status, message = refusal(keys, header, scope)
            assert status == 403
            assert scope in message


def test_without_a_key(keys):
    for header in (None, "", "  ", "Bearer", "Bearer ", "Basic dTpw", "rl_x"):
        status, message = refusal(keys, header)
        assert (status, "Bearer <key>" in message) == (401, True)


def test_a_wrong_key_gets_no_other_information(keys):
    text = keys.create("billing", ["read"])
    other = keys.create("other", ["read"])
    key_id, secret = text.split("_", 2)[1:]
    wrong = [
        f"rl_{key_id}_{other.split('_', 2)[2]}",
        f"rl_{'0' * 12}_{secret}",
        text[:-1],
        text + "A",
        text.upper(),
        f"{text} {text}",
        "rl_",
        "é" * 60,
        "x" * 100_000,
    ]
    assert {refusal(keys, f"Bearer {one}") for one in wrong} == {(401, "The API key is not valid.")}


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {} ", " Bearer {}"])
def test_the_header_is_read_as_http_has_it(keys, form):
    assert keys.check(form.format(keys.create("billing", ["read"])), "read")


def test_a_revoked_key_is_refused_by_its_own_process_at_once_and_by_others_within_seconds(keys, redis, clock):
    text = keys.create("billing", ["read"])
    other = ApiKeys(redis, clock=clock)
    assert keys.check(f"Bearer {text}", "read")
    assert other.check(f"Bearer {text}", "read")
    assert keys.revoke(text.split("_")[1])
    assert refusal(keys, f"Bearer {text}")[0] == 401
    clock.now += CACHED
    assert CACHED < 5
    assert refusal(other, f"Bearer {text}")[0] == 401
    assert keys.list() == []
    assert not keys.revoke(text.split("_")[1])
    assert not keys.revoke("nobody")


def test_a_clock_that_was_put_back_does_not_keep_a_revoked_key_alive(keys, redis, clock):
    text = keys.create("billing", ["read"])
    assert keys.check(f"Bearer {text}", "read")
    ApiKeys(redis).revoke(text.split("_")[1])
    clock.now -= 3600
    assert refusal(keys, f"Bearer {text}")[0] == 401


def test_a_new_key_works_at_once_where_its_id_was_asked_for_before(keys, redis):
    text = keys.create("billing", ["read"])
    other = ApiKeys(redis)
    stored = redis.hgetall("renderline:keys")
    redis.delete("renderline:keys")
    assert refusal(other, f"Bearer {text}")[0] == 401
    redis.hset("renderline:keys", mapping=stored)
    assert other.check(f"Bearer {text}", "read")


def test_the_list_shows_who_has_keys_and_when_they_were_used(keys, clock):
    first = keys.create(" billing ", ["submit"])
    clock.now += 10
    keys.create("reports", ["read"])
    assert [(key.name, key.scopes, key.used) for key in keys.list()] == [
        ("billing", ("submit",), None),
        ("reports", ("read",), None),
    ]
    began = clock.now
    for seconds, noted in ((0.0, began), (USED_EVERY - 1, began), (USED_EVERY, began + USED_EVERY)):
        clock.now = began + seconds
        keys.check(f"Bearer {first}", "submit")
        assert keys.list()[0].used == noted
    assert keys.list()[0].key_id == first.split("_")[1]
    assert keys.list()[1].used is None


def test_a_check_asks_redis_once_in_a_while_only(keys, redis):
    text = keys.create("billing", ["read"])
    keys.check(f"Bearer {text}", "read")
    before = redis.info("commandstats")["cmdstat_hget"]["calls"]
    for _ in range(100):
        keys.check(f"Bearer {text}", "read")
    assert redis.info("commandstats")["cmdstat_hget"]["calls"] == before
