"""What operators see of an account, also with a Redis user that may not read the vendor's token."""

from __future__ import annotations

import time

import pytest

from renderline.accounts.token import SharedToken
from renderline.ledger import AccountLimits, AccountReports, Ledger
from renderline.studio import CredentialsRefused


class Issuer:
    fault = None

    def issue(self):
        if self.fault:
            raise self.fault
        return "secret-token-value"


@pytest.fixture
def report(redis):
    return lambda: AccountReports(Ledger(redis), kinds=("project", "document_video.generate")).of("main")


def test_an_account_that_nobody_has_used_has_a_whole_report(report):
    shown = report()
    assert (shown["paused"], shown["hold"], shown["backoff_until"]) == (False, None, None)
    assert shown["circuit"] == {"state": "closed", "failures": 0, "since": None, "next_probe": None}
    assert shown["slots"] == {"limit": None, "taken": 0, "renders": []}
    assert shown["workers"] == {"announced_at": None, "apis": []}
    assert set(shown["token"].values()) == {None}


def test_what_holds_an_account_back(redis, driver, report):
    limits = AccountLimits(driver.ledger)
    driver.clock.now = time.time()
    driver.start_all("a" * 32)
    driver.accept("b" * 32)
    limits.set_slots({"main": 2})
    driver.operations.pause("main")
    limits.hold("main", reason="No credit", seconds=60)
    limits.slow_down("main", seconds=30)
    for _ in range(5):
        limits.call_failed("main", failures=5, pause=10)
    driver.ledger.announce_capabilities(["account:main", "api:v3:main", "api:v2:other", "hook:http"])
    redis.rpush("renderline:durations:main:project", *range(1, 11))
    redis.rpush("renderline:durations:main:document_video.generate", 3)
    shown = report()
    assert shown["paused"]
    assert shown["hold"]["reason"] == "No credit"
    assert shown["hold"]["since"] < shown["hold"]["next_attempt"]
    assert shown["backoff_until"]
    assert shown["circuit"]["state"] == "open"
    assert shown["circuit"]["failures"] == 5
    assert shown["circuit"]["since"] < shown["circuit"]["next_probe"]
    assert shown["calls_per_second"] >= 4
    assert shown["slots"] == {"limit": 2, "taken": 1, "renders": ["a" * 32]}
    assert shown["at_vendor"] == 1
    assert shown["workers"]["apis"] == ["v3"]
    assert shown["workers"]["announced_at"]
    assert shown["durations"] == [
        {"kind": "project", "stage": None, "count": 10, "median": 6.0, "slow": 10.0},
        {"kind": "document_video", "stage": "generate", "count": 1, "median": 3.0, "slow": 3.0},
    ]


def test_the_times_of_a_token_are_kept_without_the_token(redis, report):
    issuer = Issuer()
    shared = SharedToken(redis, issuer, account="main")
    token = shared.current()
    issued = report()["token"]
    assert issued["issued_at"] < issued["refresh_at"] < issued["expires_at"]
    assert (issued["refused_at"], issued["failed_at"]) == (None, None)
    shared.reject(token)
    assert report()["token"]["refused_at"] >= issued["issued_at"]
    issuer.fault = CredentialsRefused("wrong key", endpoint="token")
    with pytest.raises(CredentialsRefused):
        shared.current()
    assert report()["token"]["failed_at"]
    issuer.fault = None
    redis.delete("renderline:token:main:failure")
    shared.current()
    assert report()["token"]["refused_at"] is None
    kept = redis.hgetall("renderline:account_status:main")
    assert set(kept) == {"issued_at", "refresh_at", "expires_at"}
    assert "secret" not in str(kept)
    assert 0 < redis.ttl("renderline:account_status:main") <= 2 * 24 * 3600
