"""Tokens that are issued and then refused by every call are asked for further and further apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis

from harness.fake_vendor import Answer, Call, FakeVendor, failure
from renderline.accounts.token import SharedToken
from renderline.ledger import Commands, PumpWake
from renderline.studio import TokenRejected, VendorUnavailable
from renderline.submission.outcome import Submitted
from tests.integration.test_bulkhead_accounts import Worker

RENDER_SECONDS = 0.05


class Issuer:
    """Issues a new token each time it is asked."""

    issued = 0

    def issue(self) -> str:
        self.issued += 1
        return f"token-{self.issued}"


@pytest.fixture
def workers(redis: Redis, vendor: FakeVendor) -> Iterator[list[Worker]]:
    made = [Worker(redis, {"main": vendor}) for _ in range(2)]
    yield made
    for one in made:
        one.poller.close()


def refused(call: Call) -> Answer | None:
    return None if call.name in ("token", "auth") else failure(401, "40100", "token expired")


def pass_time(redis: Redis) -> None:
    """Let the wait for the next token end, as time would."""
    redis.hset("renderline:token:main:refusals", "until", "0")
    redis.delete("renderline:backoff:main")


def test_tokens_refused_by_every_call_are_not_asked_for_with_every_call(workers, vendor, redis):
    names = [f"{index:032x}" for index in range(20)]
    workers[0].rendering("main", *names[:10])
    workers[0].accept("main", *names[10:])
    vendor.override = refused
    before = vendor.calls["token"]
    for worker in workers:
        for one in names[10:]:
            worker.submitter.submit(one)
        ticket = int(redis.hget("renderline:pump:main", "0:ticket"))
        worker.pump(PumpWake("main", 0, ticket, 0.0))
    assert vendor.calls["token"] - before <= 2
    assert 0 < redis.pttl("renderline:backoff:main") <= 1000, "the account is quiet until the next token"
    for _ in range(5):
        pass_time(redis)
        for one in names[10:]:
            workers[0].submitter.submit(one)
    assert vendor.calls["token"] - before <= 2 + 5
    assert redis.pttl("renderline:backoff:main") > 8000
    assert {workers[0].state(one) for one in names[10:]} <= {"accepted", "submitting"}, "none fails for it"
    vendor.override = lambda _: None
    pass_time(redis)
    assert all(isinstance(workers[1].submitter.submit(one), Submitted) for one in names[10:])
    assert [vendor.exports_of(one) for one in names] == [1] * 20


def test_the_wait_for_the_next_token_doubles_up_to_a_minute(redis: Redis):
    pauses: list[float] = []
    issuer = Issuer()
    shared = SharedToken(redis, issuer, account="main", back_off=pauses.append)
    for _ in range(10):
        shared.reject(shared.current())
        redis.hset("renderline:token:main:refusals", "until", "0")
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert issuer.issued == 10


def test_a_revoked_token_costs_one_token_call_and_no_wait(redis: Redis):
    pauses: list[float] = []
    issuer = Issuer()
    one, other = (SharedToken(redis, issuer, account="main", back_off=pauses.append) for _ in range(2))
    token = one.current()
    assert other.current() == token
    one.reject(token)
    other.reject(token)
    assert one.current() == other.current() == "token-2"
    assert (issuer.issued, pauses) == (2, [])


def test_while_it_waits_no_worker_asks_for_a_token(redis: Redis):
    issuer = Issuer()
    one, other = (SharedToken(redis, issuer, account="main") for _ in range(2))
    for _ in range(2):
        one.reject(one.current())
    for shared in (one, other):
        with pytest.raises(TokenRejected) as caught:
            shared.current()
        assert 0 < (caught.value.retry_after or 0) <= 1.0
    assert issuer.issued == 2


def test_an_operator_lifts_the_wait(workers: list[Worker], vendor: FakeVendor, redis: Redis):

    vendor.override = refused
    workers[0].accept("main", "a" * 32)
    workers[0].submitter.submit("a" * 32)
    vendor.override = lambda _: None
    assert Commands(workers[0].ledger).resume("main")
    assert isinstance(workers[0].submitter.submit("a" * 32), Submitted)


class NoIssuer:
    """The token endpoint is away."""

    def issue(self) -> str:
        raise VendorUnavailable("away", endpoint="POST /auth/token")


def test_a_v2_call_does_not_wait_for_a_v3_token(new_local_worker, redis, examples):
    local_worker = new_local_worker()
    token = SharedToken(redis, NoIssuer(), account="main")
    local_worker.accounts["main"] = replace(local_worker.accounts["main"], token=token)
    local_worker.accept({"kind": "v2_project", "payload": examples("v2-seed-minimal.json")}, "r1")
    assert isinstance(local_worker.submit("r1"), Submitted)
    assert local_worker.exports() == 1
