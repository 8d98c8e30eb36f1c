"""Every vendor call of an account passes its guard, from any caller: judged by the vendor's record."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from config.settings import load
from harness import Valkey
from harness.fake_vendor import Answer, Call, FakeVendor, failure, success
from harness.ledger import accept_render, due_poll
from harness.recorded_dispatcher import RecordedDispatcher
from harness.requests import record
from harness.samples import USER_KEY
from renderline.accounts.circuit_breaker import FAILURES, CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import CircuitOpen, Guard, InBackoff
from renderline.accounts.permit import Permit, claimed_work, using
from renderline.accounts.rate_limit import RateLimit, RateLimitReached
from renderline.accounts.token import SharedToken
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.drafts import find_by_name
from renderline.ledger import AccountLimits, Ledger
from renderline.operations import Operations
from renderline.polling.download_url import DownloadUrlRefresh, NoDownloadUrl
from renderline.polling.project_list import ProjectList
from renderline.studio import RateLimited, StudioFault, StudioV2, StudioV3, TokenEndpoint, VendorUnavailable
from renderline.submission.outcome import Submitted
from renderline.tenants import COMMAND_LINE
from tasks.services import Services
from workers.composition.services import compose

RENDER_SECONDS = 0.01
ONE = "a" * 32
META: dict[str, Any] = {"name": "n", "hooks": [], "metadata": {}}
RECORD = {"id": ONE, "kind": "project", "account": "main", "project_id": "p1", "attempt": 1, "download_url": None}


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis, grace=30.0)


@pytest.fixture
def account(redis: Redis, vendor: FakeVendor, ledger: Ledger) -> Iterator[Callable[..., AccountClients]]:
    """Make the clients of account `main`, with a limit of calls: so many, in a window of so many seconds."""
    made: list[AccountClients] = []

    def make(calls: int = 1000, seconds: int = 60) -> AccountClients:
        limits = AccountLimits(ledger)
        rate_limit = RateLimit(redis, "main", 1.0)
        rate_limit._window = calls, seconds
        guard = Guard("main", limits, CircuitBreaker(limits, "main"), rate_limit)
        issuer = TokenEndpoint(vendor.url, app_id="a", user_key="k", guard=guard)
        token = SharedToken(redis, issuer, account="main")
        v3 = StudioV3(vendor.url, tokens=token, guard=guard)
        v2 = StudioV2(vendor.url, secret_key="v2-key-0123456789", guard=guard)
        made.append(AccountClients("main", v3, v2, guard=guard, token=token))
        return made[-1]

    yield make
    for one in made:
        assert one.v3
        assert one.v2
        one.v3.close()
        one.v2.close()


def test_calls_are_counted_without_the_callers_help(account, vendor):
    clients = account(calls=3)
    clients.v3.list_projects()  # and a token
    clients.v3.list_projects()
    with pytest.raises(RateLimitReached):
        clients.v3.list_projects()
    assert (vendor.calls["token"], vendor.calls["list"]) == (1, 2)


def test_the_check_of_a_refused_token_and_the_repetition_are_counted(account, vendor):
    clients = account(calls=4)
    clients.token.current()
    # A refusal that may mean the token: the token is checked, then the call is repeated with a newer one.
    vendor.override = lambda call: failure(200, "E", "denied") if call.name in ("list", "auth") else None
    with pytest.raises(StudioFault):
        clients.v3.list_projects()
    assert vendor.calls.total() == 4, "token, list, auth, token"


def test_a_workers_calls_leave_as_many_turns_to_the_others(account, vendor):
    one, other = account(calls=2), account(calls=2)
    one.v3.list_projects()
    with pytest.raises(RateLimitReached):
        other.v3.list_projects()
    assert vendor.calls.total() == 2


def orphans(clients: AccountClients, ledger: Ledger) -> None:
    OrphanSweep(ledger, lease=30.0)._sweep(clients, {(ONE, 1)})


def canceled_with_its_project(clients: AccountClients, ledger: Ledger) -> None:
    operations = Operations(ledger, RecordedDispatcher(), ["main"], {"main": clients})
    found = operations.cancel(ONE, delete_project=True, actor=COMMAND_LINE)
    assert found.project == "kept", "not deleted, and not said to be"


CALLERS: dict[str, Callable[[AccountClients, Ledger], object]] = {
    "orphan sweep": orphans,
    "cancel with its project": canceled_with_its_project,
    "draft by name": lambda clients, _: find_by_name(clients, ONE),
    "fresh download link": lambda clients, ledger: DownloadUrlRefresh(ledger, {"main": clients})(RECORD),
    "command line: models": lambda clients, _: clients.use_v3().models(),
    "command line: doctor": lambda clients, _: clients.use_v3().confirm_token(),
    "command line: doctor, v2": lambda clients, _: clients.use_v2().progress("0" * 24),
}


STOPS: dict[str, Callable[[AccountLimits], object]] = {
    "circuit open": lambda limits: limits.call_failed("main", failures=1, pause=30.0),
    "wait that the vendor asked for": lambda limits: limits.back_off("main", seconds=30.0),
}


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("caller", CALLERS)
def test_who_has_not_claimed_work_makes_no_call_while_the_account_backs_off(account, vendor, ledger, caller, stop):
    clients = account()
    clients.token.current()
    accept_render(ledger, ONE, deadline=60.0, meta=META)
    assert ledger.claim_submission(ONE, lease=30.0)
    STOPS[stop](AccountLimits(ledger))
    vendor.calls.clear()
    with contextlib.suppress(StudioFault, NoDownloadUrl):
        CALLERS[caller](clients, ledger)
    assert vendor.calls.total() == 0


@pytest.mark.parametrize(("stop", "fault"), list(zip(STOPS, (CircuitOpen, InBackoff), strict=True)))
def test_the_fault_says_when_to_come_back(account, ledger, stop, fault):
    clients = account()
    STOPS[stop](AccountLimits(ledger))
    for call in (clients.v3.list_projects, clients.token.current, lambda: clients.v2.progress("p1")):
        with pytest.raises(fault) as caught:
            call()
        assert 0 < caught.value.retry_after <= 30


CLIENT_CALLS: dict[str, Callable[[AccountClients], object]] = {
    "v3": lambda clients: clients.use_v3().list_projects(),
    "v2": lambda clients: clients.use_v2().progress("p1"),
    "token": lambda clients: clients.token and clients.token._issuer.issue(),
}


@pytest.mark.parametrize("client", CLIENT_CALLS)
def test_what_the_vendor_answers_is_recorded_whichever_client_asked(account, vendor, ledger, client):
    clients, limits = account(), AccountLimits(ledger)
    if client != "token":
        clients.token.current()

    def answered(answer: Answer) -> None:
        vendor.override = lambda _: answer
        with claimed_work(), contextlib.suppress(StudioFault):
            CLIENT_CALLS[client](clients)

    for _ in range(FAILURES - 1):
        answered(failure(503, "503", "away"))
    answered(success([]))
    answered(failure(503, "503", "away"))
    assert not limits.backoff("main").circuit_open, "not so many failures in a row"
    for _ in range(FAILURES):
        answered(failure(503, "503", "away"))
    assert limits.backoff("main").circuit_open
    answered(success([]))
    ledger.redis.flushall()
    answered(failure(429, "429", "slow down")._replace(headers={"Retry-After": "40"}))
    assert 30 < limits.backoff("main").seconds <= 40


@pytest.mark.parametrize("fault", [None, RateLimited("slow down"), VendorUnavailable("away")], ids=str)
def test_an_outcome_that_cannot_be_recorded_does_not_hide_the_calls_own(fault):
    with Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        limits = AccountLimits(Ledger(nowhere))
        Guard("main", limits, CircuitBreaker(limits, "main")).record(fault)


def test_work_that_the_ledger_handed_out_probes_an_open_circuit(account, vendor, ledger):
    clients = account()
    AccountLimits(ledger).call_failed("main", failures=1, pause=0.0)
    with claimed_work():
        clients.v3.list_projects()
    assert vendor.calls["list"] == 1


def test_a_refusal_of_ours_says_nothing_about_the_vendor(account, ledger):
    clients = account()
    AccountLimits(ledger).back_off("main", seconds=30.0)
    for _ in range(10):
        with pytest.raises(RateLimited):
            clients.v3.list_projects()
    assert not AccountLimits(ledger).backoff("main").circuit_open
    assert not ledger.redis.exists("renderline:token:main:failure"), "others ask for the token themselves"


def test_a_prepared_call_leaves_at_once_and_only_one(account, vendor):
    clients = account(calls=3)
    permit = clients.prepare("v3")  # the token's turn and the call's
    account(calls=3).v3.list_projects()  # the last turn
    began = time.monotonic()
    with using(permit):
        clients.v3.list_projects()
        assert time.monotonic() - began < 1.0
        with pytest.raises(RateLimitReached):
            clients.v3.list_projects()
    assert vendor.calls["list"] == 2


def test_a_prepared_call_asks_for_no_token(account, vendor, redis):
    clients = account()
    permit = clients.prepare("v3")
    redis.delete("renderline:token:main")
    clients.token.reject(clients.token.current())
    vendor.calls.clear()
    with using(permit):
        clients.v3.list_projects()
    assert vendor.calls == {"list": 1}


def test_a_prepared_token_that_is_refused_is_not_used_again(account, vendor):
    clients = account()
    permit = clients.prepare("v3")
    refused = clients.token.current()
    vendor.override = lambda call: refused_token(call) if call.headers.get("Authorization") == refused else None
    with using(permit):
        clients.v3.list_projects()
    assert (vendor.calls["token"], vendor.calls["list"]) == (2, 2)


def test_without_a_limit_a_permit_is_at_hand_once_the_token_is(account):
    clients = account()
    assert clients.permit_at_hand("v3") is None
    assert clients.permit_at_hand("v2") is None, "a turn has to be taken"
    free = AccountClients("main", clients.v3, clients.v2, token=clients.token)
    assert free.permit_at_hand("v3") is None
    assert isinstance(free.permit_at_hand("v2"), Permit)
    free.token.current()
    assert isinstance(free.permit_at_hand("v3"), Permit)


def test_a_v2_call_is_prepared_without_a_token(account, vendor):
    vendor.override = lambda call: failure(401, "E", "no such key") if call.name == "token" else None
    account().prepare("v2")
    assert vendor.calls.total() == 0


@pytest.fixture
def services(vendor: FakeVendor, valkey: Valkey, redis: Redis) -> Services:
    """What a worker has, with credentials of both APIs for account `default`."""
    given = {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_APP_ID": "studio.acme",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "AISTUDIOS_BASE_URL": vendor.url,
        "AISTUDIOS_V2_SECRET_KEY": "v2-key-0123456789",
        "AISTUDIOS_V2_BASE_URL": vendor.url,
        "RENDERLINE_WAIT_FOR_DISK": "never",
    }
    return compose(Celery("test"), load(given, role="worker"))


def test_a_submission_probes_an_open_circuit_though_it_has_no_token_yet(vendor, services):
    record(services.ledger, ONE, {"kind": "export", "project_id": "0" * 24}, account="default")
    AccountLimits(services.ledger).call_failed("default", failures=1, pause=0.0)
    services.submitter.submit(ONE)
    assert (vendor.calls["token"], vendor.calls["project"]) == (1, 1)
    assert not AccountLimits(services.ledger).backoff("default").circuit_open


POLLS: dict[str, Callable[[Services, AccountClients], object]] = {
    "progress": lambda services, clients: services.poller.render_poll.poll(
        clients, due_poll(time.monotonic()), 0.0, time.monotonic()
    ),
    "list": lambda services, clients: ProjectList(services.poller.policy)._read(clients),
}


@pytest.mark.parametrize("call", POLLS)
def test_a_claimed_poll_probes_an_open_circuit_though_it_has_no_token_yet(vendor, services, call):
    AccountLimits(services.ledger).call_failed("default", failures=1, pause=0.0)
    POLLS[call](services, services.submitter.accounts["default"])
    assert (vendor.calls["token"], vendor.calls[call]) == (1, 1)


def test_v2_renders_are_submitted_while_the_v3_tokens_of_their_account_are_refused(vendor, services, examples):
    v2_create = success({})._replace(body=b'{"success": true, "key": "k1"}')
    vendor.override = lambda call: v2_create if call.name == "/api/odin/editor/project" else refused_token(call)
    clients = services.submitter.accounts["default"]
    for _ in range(3):
        with contextlib.suppress(StudioFault):
            clients.use_v3().list_projects()
    record(services.ledger, ONE, {"kind": "v2_project", "payload": examples("v2-seed-minimal.json")}, account="default")
    assert isinstance(services.submitter.submit(ONE), Submitted)


def refused_token(call: Call) -> Answer | None:
    return None if call.name == "token" else failure(401, "40100", "token expired")
