"""The circuit breaker's state: one step a change, and nothing that stays for ever."""

from __future__ import annotations

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from harness.ledger import GRACE, LEASE
from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.guard import Guard
from renderline.ledger import AccountLimits, Ledger
from renderline.studio import (
    OutcomeUnknown,
    PayloadRefused,
    RateLimited,
    StudioFault,
    TooLate,
    UploadUnreadable,
    VendorUnavailable,
)

AWAY = VendorUnavailable("nobody answers")


class Dying(Redis):
    """The connection of a worker that is killed after so many commands."""

    left = 10**9

    def execute_command(self, *args, **options):
        if self.left <= 0:
            raise RedisConnectionError("killed")
        self.left -= 1
        return super().execute_command(*args, **options)


@pytest.fixture
def dying(valkey):
    with Dying.from_url(valkey.url, decode_responses=True) as redis:
        yield redis


def claims(driver, *names):
    return [one for one in names if driver.ledger.claim_submission(one, lease=LEASE)]


def breaker(driver, **options):
    return CircuitBreaker(driver.limits, "main", failures=3, pause=10.0, **options)


def test_a_worker_killed_after_its_first_write_leaves_no_account_that_probes_for_ever(driver, dying):
    """The probe was answered, and its worker dies after its first write to Redis."""
    names = [f"r{index}" for index in range(4)]
    for one in names:
        driver.accept(one)
    for _ in range(3):
        breaker(driver).record(AWAY)
    driver.clock.forward(10.1)
    assert claims(driver, *names) == ["r0"]
    ledger = Ledger(dying, grace=GRACE, clock=driver.clock)
    AccountLimits(ledger).call_answered("other")  # the script is known to the server
    dying.left = 1
    CircuitBreaker(AccountLimits(ledger), "main", failures=3, pause=10.0).record(None)
    assert claims(driver, *names[1:]) == names[1:], "one call at a time, though the vendor is back"


def test_an_open_circuit_without_calls_expires(driver):
    for _ in range(3):
        breaker(driver).record(AWAY)
    assert 0 < driver.redis.pttl("renderline:circuit:main") <= 180_000
    driver.accept()
    driver.clock.forward(10.1)
    assert claims(driver, "r1")  # the probe; its worker is killed
    assert 0 < driver.redis.pttl("renderline:circuit:main") <= (LEASE + 180) * 1000


def test_failures_in_a_row_open_it_and_an_answer_between_them_counts_anew(driver):
    one = breaker(driver)
    for fault in (AWAY, AWAY, PayloadRefused("no", status=400), AWAY, AWAY):
        one.record(fault)
        assert not one.open
    one.record(AWAY)
    assert one.open
    driver.accept()
    assert not claims(driver, "r1")


def test_a_late_answer_does_not_close_a_circuit_that_nobody_probed(driver):
    one, other = breaker(driver), breaker(driver)
    for _ in range(3):
        one.record(AWAY)
    other.record(None)
    driver.accept()
    assert not claims(driver, "r1")
    driver.clock.forward(10.1)
    assert claims(driver, "r1")
    one.record(None)
    assert not one.open


def test_a_straggler_of_before_does_not_put_the_probe_off(driver):
    one = breaker(driver)
    for _ in range(3):
        one.record(AWAY)
    driver.clock.forward(8.0)
    one.record(AWAY)
    driver.clock.forward(2.1)
    driver.accept()
    assert claims(driver, "r1")


@pytest.mark.parametrize(
    ("fault", "sign"),
    [
        (None, False),
        (VendorUnavailable("x"), True),
        (OutcomeUnknown("x", status=502), True),
        (VendorUnavailable("x", status=404), True),
        (VendorUnavailable("garbled", status=200), False),
        (RateLimited("x", status=429), False),
        (PayloadRefused("x", status=400), False),
    ],
)
def test_what_counts_as_the_vendor_being_away(driver, fault: StudioFault | None, sign: bool):
    one = CircuitBreaker(driver.limits, "main", failures=1, pause=10.0)
    one.record(fault)
    assert one.open == sign


@pytest.mark.parametrize("fault", [TooLate("held up on our side"), UploadUnreadable("our storage fails")])
def test_calls_that_fail_on_our_side_do_not_open_it(driver, fault: StudioFault):
    """A worker that was frozen wakes with many at once; so does one whose storage is away."""
    one = breaker(driver)
    for _ in range(5):
        Guard("main", driver.limits, one).record(fault)
    assert not one.open


def test_resume_closes_it(driver):
    for _ in range(3):
        breaker(driver).record(AWAY)
    for one in ("a", "b"):
        driver.accept(one)
    assert not claims(driver, "a", "b")
    assert driver.operations.resume("main")
    assert not driver.operations.resume("main")
    assert claims(driver, "a", "b") == ["a", "b"]
