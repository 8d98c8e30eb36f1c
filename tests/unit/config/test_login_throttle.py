"""Wrong passwords are counted by address and user, in bounded memory and for a while."""

import pytest

from config.login_throttle import PER_ADDRESS, PER_USER, WINDOW, LoginThrottle


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return LoginThrottle(clock, most=100)


def test_an_address_waits_for_the_rest_of_its_window(throttle, clock):
    for _ in range(PER_ADDRESS - 1):
        throttle.failed("192.0.2.1", "ops")
        clock.now += 1
    assert throttle.wait("192.0.2.1", "ops") == 0
    throttle.failed("192.0.2.1", "other")
    assert throttle.wait("192.0.2.1", "ops") == WINDOW - (PER_ADDRESS - 1)
    assert throttle.wait("192.0.2.2", "ops") == 0
    clock.now += WINDOW
    assert throttle.wait("192.0.2.1", "ops") == 0


def test_a_user_under_attack_costs_each_address_its_second_guess(throttle):
    for number in range(PER_USER):
        assert throttle.wait(f"192.0.2.{number}", "ops") == 0
        throttle.failed(f"192.0.2.{number}", "ops")
    assert throttle.wait("192.0.2.1", "ops") > 0
    assert throttle.wait("192.0.2.1", "dev") == 0
    assert throttle.wait("198.51.100.1", "ops") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "", True),
    ],
)
def test_a_network_of_one_caller_is_one_address(throttle, one, other, same):
    for _ in range(PER_ADDRESS):
        throttle.failed(one, "ops")
    assert (throttle.wait(other, "ops") > 0) is same


def test_its_memory_is_bounded(throttle):
    for number in range(10_000):
        throttle.failed(f"10.0.{number // 250}.{number % 250}", f"user-{number}" * 100)
    assert len(throttle) == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counted"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        # What a caller wrote itself stands left of what the proxies added.
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        # Not through the proxies, or not an address: a caller gains no address of its own by it.
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "unknown", "127.0.0.1"),
        (1, "203.0.113.9, ", "127.0.0.1"),
    ],
)
def test_behind_proxies_the_address_counts_that_they_added(proxies, forwarded, counted):
    assert LoginThrottle(proxies=proxies).address("127.0.0.1", forwarded) == counted
