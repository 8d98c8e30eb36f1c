"""When a failed hook is tried again."""

from __future__ import annotations

import itertools

import pytest

from config.settings import load
from renderline.retry import MAX_RETRY_AFTER, WAITS, HookRetryPolicy

DAY = 86_400.0


def ages(policy: HookRetryPolicy, *, jitter: float = 0.5) -> list[float]:
    """Return how long the hook has been due at each call of an endpoint that never answers."""
    age, found = 0.0, [0.0]
    while (wait := policy.retry_in(len(found), age=age, jitter=jitter)) is not None:
        age += wait
        found.append(age)
    return found


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_an_endpoint_that_is_down_for_three_days_is_still_tried(jitter: float) -> None:
    settings = load({}, role="gateway")
    tries = ages(HookRetryPolicy(settings.hook_retry_for, settings.hook_attempts), jitter=jitter)
    assert 3 * DAY - WAITS[0] <= tries[-1] <= 3 * DAY, "the last try comes as the three days end"
    assert len(tries) < 40
    assert max(after - before for before, after in itertools.pairwise(tries)) <= WAITS[-1] * 1.2001


def test_the_first_tries_come_quickly() -> None:
    assert ages(HookRetryPolicy())[:8] == [0.0, 2.0, 7.0, 22.0, 52.0, 112.0, 232.0, 532.0]


def test_a_number_of_tries_cuts_it_short() -> None:
    assert len(ages(HookRetryPolicy(attempts=3))) == 3


def test_the_endpoints_wish_counts_but_has_an_end() -> None:
    policy = HookRetryPolicy()
    assert policy.retry_in(1, age=0.0, jitter=0.5, retry_after=500.0) == 500.0
    assert policy.retry_in(1, age=0.0, jitter=0.5, retry_after=1.0) == 2.0
    assert policy.retry_in(1, age=0.0, jitter=0.5, retry_after=1.7e9) == MAX_RETRY_AFTER


def test_the_schedule_is_a_setting() -> None:
    assert load({}, role="gateway").hook_waits == WAITS
    settings = load({"RENDERLINE_HOOK_WAITS": "2, 0.5s,5m,1h ,1d"}, role="gateway")
    assert settings.hook_waits == (2.0, 0.5, 300.0, 3600.0, 86_400.0)
    policy = HookRetryPolicy(3 * DAY, waits=settings.hook_waits)
    assert ages(policy) == [0.0, 2.0, 2.5, 302.5, 3902.5, 3902.5 + DAY, 3902.5 + 2 * DAY, 3 * DAY]


def test_a_schedule_of_long_waits_alone_has_its_last_call_at_the_end_too() -> None:
    assert ages(HookRetryPolicy(DAY, waits=(10 * 3600.0,))) == [0.0, 36_000.0, 72_000.0, DAY]


def test_a_hook_may_have_a_schedule_of_its_own() -> None:
    policy = HookRetryPolicy(600.0).of_hook({"waits": [10, 100], "attempts": 4})
    assert ages(policy) == [0.0, 10.0, 110.0, 210.0]
    # Fields of a kind that another package added.
    for other in ("often", [], [0], ["1"], [True], {"1": 2}):
        assert HookRetryPolicy(600.0).of_hook({"waits": other}) == HookRetryPolicy(600.0)


def test_what_failed_together_does_not_return_together() -> None:
    waits = {HookRetryPolicy().retry_in(8, age=600.0, jitter=jitter / 10) for jitter in range(11)}
    assert len(waits) == 11
    assert (min(waits), max(waits)) == pytest.approx((480.0, 720.0))


@pytest.mark.parametrize(
    ("hook", "retry_for", "attempts"),
    [
        ({}, 600.0, None),
        ({"retry_for": 60}, 60.0, None),
        ({"retry_for": 601, "attempts": 7}, 600.0, 7),
        # Fields of a kind that another package added.
        ({"retry_for": "long", "attempts": -1}, 600.0, None),
        ({"retry_for": True, "attempts": [1]}, 600.0, None),
    ],
)
def test_a_hook_may_ask_for_less(hook: dict[str, object], retry_for: float, attempts: int | None) -> None:
    assert HookRetryPolicy(600.0).of_hook(hook) == HookRetryPolicy(retry_for, attempts)


def test_a_deployment_with_fewer_attempts_has_its_way() -> None:
    assert HookRetryPolicy(600.0, 3).of_hook({"attempts": 5}).attempts == 3


def test_a_hook_that_is_retried_shortly_does_not_wait_for_hours_for_its_host() -> None:
    assert HookRetryPolicy(60.0).over(121.0)
    assert not HookRetryPolicy(60.0).over(119.0)
    assert not HookRetryPolicy().over(3 * DAY + WAITS[-1] - 1)
