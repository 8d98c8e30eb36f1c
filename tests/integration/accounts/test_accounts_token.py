"""One token per account for every worker: one of them requests it, the others wait and share it, or its fault."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from structlog.testing import capture_logs

from harness import ROOT, Process, until
from harness.clock import Clock
from renderline.accounts.token import LIFETIME, SharedToken
from renderline.studio import CredentialsRefused, RateLimited, StudioV3, TokenEndpoint, VendorUnavailable

DAY = LIFETIME
ISSUED = "POST /api/odin/v3/auth/token"


class Issuer:
    """Issues numbered tokens and counts the calls; `fault` is raised instead, `gate` holds the answer back."""

    def __init__(self):
        self.calls = 0
        self.fault = None
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self._counting = threading.Lock()

    def issue(self):
        with self._counting:
            self.calls += 1
            number = self.calls
        self.asked.set()
        assert self.gate.wait(60)
        if self.fault:
            raise self.fault
        return f"opaque-token-{number}"


@pytest.fixture
def clock():
    return Clock(time.time())


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def worker(valkey, redis, issuer, clock):
    """Make the token source of one more worker, with a connection of its own."""
    clients = []

    def new(**options):
        clients.append(Redis.from_url(valkey.url, decode_responses=True))
        return SharedToken(clients[-1], issuer, account="main", clock=clock, **options)

    yield new
    for client in clients:
        client.close()


def together(*calls):
    """Run the calls at the same moment; returns what each returned or raised."""
    ready = threading.Barrier(len(calls))

    def run(call):
        ready.wait()
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


COLD = """
import os, sys
from redis import Redis
from renderline.studio import TokenEndpoint
from renderline.accounts.token import SharedToken
for _ in range(16):
    if not os.fork():
        break
else:
    for _ in range(16):
        assert os.wait()[1] == 0
    sys.exit()
redis = Redis.from_url(sys.argv[1], decode_responses=True)
shared = SharedToken(redis, TokenEndpoint(sys.argv[2], app_id="studio.acme", user_key="k" * 36), account="main")
redis.incr("ready")
redis.blpop("go")
redis.rpush("answers", shared.current())
"""
"""Sixteen processes, each with connections of its own and no token; they share what was imported before."""


def test_sixteen_cold_processes_make_one_token_call(valkey, redis, start_sandbox, tmp_path):
    sandbox = start_sandbox("--latency", "0.2")
    workers = Process([sys.executable, "-c", COLD, valkey.url, sandbox.url], log=tmp_path / "workers.log")
    try:
        workers.wait_until(lambda: redis.get("ready") == "16", what="sixteen processes ready")
        redis.rpush("go", *range(16))
        assert workers.popen.wait(120) == 0, workers.output()
    finally:
        workers.kill()
    assert "Error" not in workers.output()
    answers = redis.lrange("answers", 0, -1)
    assert (len(answers), len(set(answers))) == (16, 1)
    assert sandbox.counts()[ISSUED] == 1
    # Stored for as long as it lives, and nothing else is left of the rush.
    assert DAY - 60 < redis.ttl("renderline:token:main") <= DAY
    assert redis.keys("renderline:token:main:*") == []


def test_a_fresh_token_is_served_from_memory(worker, redis, issuer):
    shared = worker()
    first = shared.current()
    before = redis.info("stats")["total_commands_processed"]
    assert {shared.current() for _ in range(100)} == {first}
    assert redis.info("stats")["total_commands_processed"] - before < 5
    assert issuer.calls == 1


def test_a_second_worker_takes_the_stored_token(worker, issuer):
    assert worker().current() == worker().current()
    assert issuer.calls == 1


def test_accounts_do_not_share(redis, issuer):
    one, two = (SharedToken(redis, issuer, account=name) for name in ("one", "two"))
    assert one.current() != two.current()


def test_one_worker_refreshes_early_while_the_others_go_on(worker, issuer, clock):
    workers = [worker() for _ in range(9)]
    old = {one.current() for one in workers}
    clock.now += DAY * 0.81
    issuer.asked.clear()
    issuer.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(workers[0].current)
        assert issuer.asked.wait(60)
        # They do not wait: the one that asks is held until they have theirs.
        assert set(together(*(one.current for one in workers[1:]))) == old
        assert not refreshing.done()
        issuer.gate.set()
        new = refreshing.result(60)
    assert new not in old
    assert issuer.calls == 2
    clock.now += 1.1  # the old one is not held on to for longer than this
    assert {one.current() for one in workers} == {new}
    assert issuer.calls == 2


def test_all_at_once_refresh_early_once(worker, issuer, clock):
    workers = [worker() for _ in range(16)]
    (old,) = {one.current() for one in workers}
    clock.now += DAY * 0.9
    answers = set(together(*(one.current for one in workers)))
    assert answers <= {old, "opaque-token-2"}
    assert issuer.calls == 2


def test_an_early_refresh_that_fails_leaves_the_old_token_in_use(worker, redis, issuer, clock):
    one, two = worker(), worker()
    old = one.current()
    two.current()
    clock.now += DAY * 0.9
    issuer.fault = VendorUnavailable("away", endpoint="token")
    assert (one.current(), two.current()) == (old, old)
    assert issuer.calls == 2, "both get the fault of one"
    issuer.fault = None
    redis.delete("renderline:token:main:failure")
    clock.now += 1.1
    assert one.current() != old


def test_an_expired_token_is_never_used(worker, redis, issuer, clock):
    one = worker()
    old = one.current()
    clock.now += DAY + 1
    issuer.fault = VendorUnavailable("away", endpoint="token")
    with pytest.raises(VendorUnavailable):
        one.current()
    issuer.fault = None
    redis.delete("renderline:token:main:failure")
    assert one.current() != old


def test_a_refused_token_is_dropped_only_if_it_is_still_the_stored_one(worker, redis, issuer):
    one, two = worker(), worker()
    old = one.current()
    two.current()
    one.reject(old)
    new = one.current()
    assert new != old
    two.reject(old)  # refused a little later: the better one stays
    assert redis.hget("renderline:token:main", "token") == new
    assert two.current() == new
    two.reject("something else")
    assert (one.current(), two.current()) == (new, new)
    assert issuer.calls == 2


def test_many_refusals_of_one_token_make_one_new_call(worker, issuer):
    workers = [worker() for _ in range(12)]
    (old,) = {one.current() for one in workers}

    def refused(one):
        one.reject(old)
        return one.current()

    assert set(together(*(lambda one=one: refused(one) for one in workers))) == {"opaque-token-2"}
    assert issuer.calls == 2


HOLDER = """
import sys, time
from redis import Redis
from renderline.accounts.token import SharedToken
class Never:
    def issue(self):
        print("asking", flush=True)
        time.sleep(60)
SharedToken(Redis.from_url(sys.argv[1], decode_responses=True), Never(), account="main", lock_seconds=1.5).current()
"""


def test_another_worker_goes_on_when_the_one_that_asks_is_killed(valkey, worker, issuer):
    command = [sys.executable, "-c", HOLDER, valkey.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "asking\n"
        holder.kill()
    assert together(*[worker(lock_seconds=1.5).current for _ in range(4)]) == ["opaque-token-1"] * 4
    assert issuer.calls == 1


@pytest.mark.parametrize(
    "fault",
    [
        CredentialsRefused("no such key", endpoint="token", status=401, code="40101"),
        RateLimited("slowly", endpoint="token", status=429, retry_after=9.0),
        RateLimited("slowly", endpoint="token", status=429),
        VendorUnavailable("answered 500", endpoint="token", status=500),
    ],
    ids=lambda fault: f"{type(fault).__name__}-{fault.retry_after}",
)
def test_those_who_wait_are_told_why_there_is_no_token(worker, redis, issuer, fault):
    workers = [worker() for _ in range(10)]
    issuer.fault = fault
    raised_faults = together(*(one.current for one in workers))
    assert {type(one) for one in raised_faults} == {type(fault)}
    assert {(one.message, one.status, one.code) for one in raised_faults} == {(fault.message, fault.status, fault.code)}
    assert issuer.calls == 1
    if fault.retry_after:
        assert all(8.0 < one.retry_after <= 9.0 for one in raised_faults)
    left = redis.pttl("renderline:token:main:failure") / 1000
    expected = {"CredentialsRefused": 30.0, "VendorUnavailable": 2.0}.get(type(fault).__name__, fault.retry_after or 2)
    assert expected - 1.5 < left <= expected
    # Afterwards it is tried again, and a success clears the failure.
    redis.delete("renderline:token:main:failure")
    issuer.fault = None
    assert set(together(*(one.current for one in workers))) == {"opaque-token-2"}


def test_a_token_that_was_stored_in_spite_of_a_failure_is_used(worker, issuer):
    one, two = worker(), worker()
    one.current()
    issuer.fault = CredentialsRefused("no", endpoint="token")
    assert two.current() == "opaque-token-1"
    assert issuer.calls == 1


def test_the_vendors_429_on_the_token_call_says_how_long_to_wait(redis, start_sandbox):
    sandbox = start_sandbox()
    sandbox.control("POST", "faults", call=ISSUED, fault="429", seconds=3, times=1)
    endpoint = TokenEndpoint(sandbox.url, app_id="studio.acme", user_key="k" * 36)
    workers = [SharedToken(redis, endpoint, account="main") for _ in range(6)]
    raised_faults = together(*(one.current for one in workers))
    assert {type(one) for one in raised_faults} == {RateLimited}
    assert all(2.0 < one.retry_after <= 3.0 for one in raised_faults)
    assert sandbox.counts()[ISSUED] == 1
    with pytest.raises(RateLimited):
        workers[0].current()
    assert sandbox.counts()[ISSUED] == 1


def test_tokens_that_the_vendor_revoked_are_replaced_once_for_all(redis, start_sandbox):
    sandbox = start_sandbox("--samples", "off")
    endpoint = TokenEndpoint(sandbox.url, app_id="studio.acme", user_key="k" * 36)
    sources = [SharedToken(redis, endpoint, account="main") for _ in range(8)]
    clients = [StudioV3(sandbox.url, tokens=source) for source in sources]
    assert together(*(client.list_projects for client in clients)) == [[]] * 8
    second = int(time.time())
    sandbox.control("POST", "revoke-tokens")
    until(lambda: int(time.time()) > second)  # two tokens of the same second are the same text
    assert together(*(client.list_projects for client in clients)) == [[]] * 8
    assert sandbox.counts()[ISSUED] == 2
    for client in clients:
        client.close()


def test_no_token_is_ever_logged(worker, issuer, clock):
    with capture_logs() as lines:
        one = worker()
        one.reject(one.current())
        one.current()
        clock.now += DAY * 0.9
        issuer.fault = VendorUnavailable("away", endpoint="token")
        one.current()
    assert len(lines) >= 4
    assert "opaque-token" not in repr(lines)
