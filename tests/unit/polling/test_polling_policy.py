"""When to poll next, when to retry, when to give up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderline.polling.policy import PollPolicy, ProgressHistory, poll_in
from renderline.retry import RetryPolicy, backoff

POLICY = PollPolicy(first_interval=2.0, min_interval=2.0, max_interval=30.0, confirm_interval=10.0)


def course(*polls: tuple[float, float], since: float = 1000.0) -> ProgressHistory:
    """Return the course after polls at (age, progress)."""
    seen = ProgressHistory(since)
    for age, progress in polls:
        seen = seen.seen(progress, now=since + age)
    return seen


def test_a_course_keeps_the_rate_of_the_latest_rise_and_counts_the_polls_that_saw_none():
    seen = course((0.0, 0), (10.0, 0))
    assert (seen.progress, seen.risen_at, seen.rate, seen.stalls) == (0.0, None, None, 0)
    seen = course((10.0, 20), (20.0, 30), (25.0, 30), (30.0, 25))
    assert (seen.progress, seen.risen_at, seen.rate, seen.stalls) == (30, 1020.0, 1.0, 2)
    # Two rises at one moment say nothing new about the rate.
    assert course((10.0, 20), (10.0, 30)).rate == 2.0


@pytest.mark.parametrize(
    ("polls", "age", "expected"),
    [
        ([], 0.0, 2.0),  # just started: as soon as allowed
        ([], 20.0, 16.0),  # no progress yet: later and later with its age ...
        ([], 500.0, 30.0),  # ... up to the most
        ([(10.0, 50)], 10.0, 5.0),  # half done after 10 s: half of the 10 s that remain, and no more than half its age
        ([(40.0, 50)], 40.0, 20.0),  # 40 s remain
        ([(10.0, 90)], 10.0, 2.0),  # nearly done: as soon as allowed
        ([(1000.0, 1)], 1000.0, 30.0),  # never longer than the most
        ([(100.0, 100)], 100.0, 2.0),  # ready, the URL lags behind
        ([(10.0, 45), (20.0, 50)], 20.0, 10.0),  # slower of late: 100 s remain, not 20; half its age
        ([(60.0, 45), (70.0, 50)], 70.0, 30.0),
        ([(60.0, 10), (70.0, 50)], 70.0, 6.75),  # faster of late: 12.5 s remain, not 70
        ([(10.0, 50)], 30.0, 4.5),  # 10 s past the predicted end: a little slower
        ([(10.0, 50)], 300.0, 8.0),  # long past it: four times the least
        ([(50.0, 80), (55.0, 80)], 55.0, 3.3),  # it moves in steps, and the next may be the last
        ([(50.0, 40), (55.0, 40)], 55.0, 27.5),  # too early for that
        ([], -5.0, 2.0),  # a clock that was put back
    ],
)
def test_the_next_poll(polls, age, expected):
    wait = poll_in(course(*polls), policy=POLICY, now=1000.0 + age, deadline_at=1e9)
    assert wait == pytest.approx(expected)


def test_while_a_render_is_younger_than_half_of_what_a_quick_one_takes_there_is_nothing_to_see():
    assert POLICY.first_poll_in(typical=None) == 2.0
    assert POLICY.first_poll_in(typical=50.0) == 25.0
    assert (
        PollPolicy(first_interval=6.0, min_interval=2.0).first_poll_in(typical=6.0) == 3.0
    )  # known to be quick: sooner than otherwise
    assert PollPolicy(first_interval=6.0, min_interval=2.0).first_poll_in(typical=1.0) == 2.0
    assert POLICY.first_poll_in(typical=500.0) == 30.0
    assert poll_in(ProgressHistory(1000.0), policy=POLICY, now=1002.0, deadline_at=1e9, typical=40.0) == 18.0
    assert poll_in(ProgressHistory(1000.0), policy=POLICY, now=1030.0, deadline_at=1e9, typical=40.0) == 24.0


@pytest.mark.parametrize(("age", "expected"), [(0.0, 10.0), (20.0, 10.0), (40.0, 20.0), (500.0, 30.0)])
def test_polls_for_evidence_become_rarer_within_their_bounds(age, expected):
    assert POLICY.confirm_poll_in(age) == expected


@pytest.mark.parametrize(("left", "expected"), [(100.0, 16.0), (3.0, 3.0), (0.0, 0.0), (-7.0, 0.0)])
def test_no_poll_is_put_off_past_the_deadline(left, expected):
    wait = poll_in(ProgressHistory(1000.0), policy=POLICY, now=1020.0, deadline_at=1020.0 + left)
    assert wait == pytest.approx(expected)


@given(
    polls=st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 100)), max_size=6),
    age=st.floats(0, 1e6),
    left=st.floats(-1e4, 1e6),
    typical=st.none() | st.floats(0, 1e5),
)
def test_every_wait_lies_within_its_bounds(polls, age, left, typical):
    now = 1e9 + age
    seen = course(*sorted(polls), since=1e9)
    wait = poll_in(seen, policy=POLICY, now=now, deadline_at=now + left, typical=typical)
    assert 0.0 <= wait <= POLICY.max_interval
    assert wait <= max(0.0, left) + 1e-6
    assert wait >= min(POLICY.min_interval, max(0.0, left) - 1e-6)


def test_a_steady_render_is_seen_ready_soon_after_it_is_with_few_polls():
    duration, now, polls = 300.0, 4.0, 0
    seen = ProgressHistory(0.0)
    while now < duration:
        seen = seen.seen(100 * now / duration, now=now)
        now += poll_in(seen, policy=POLICY, now=now, deadline_at=3600.0)
        polls += 1
    assert polls < 22
    assert now - duration <= POLICY.min_interval + 0.1


@pytest.mark.parametrize(
    ("attempt", "jitter", "expected"),
    [
        (1, 1.0, 1.0),
        (2, 1.0, 2.0),
        (3, 1.0, 4.0),
        (7, 1.0, 60.0),
        (5000, 1.0, 60.0),  # no overflow
        (3, 0.0, 2.0),  # jitter takes at most half
        (3, 0.5, 3.0),
    ],
)
def test_backoff_doubles_up_to_its_cap(attempt, jitter, expected):
    assert backoff(attempt, base=1.0, cap=60.0, jitter=jitter) == pytest.approx(expected)


@given(attempt=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_backoff_spreads_over_the_upper_half(attempt, jitter):
    full = min(60.0, 2.0 ** min(attempt - 1, 30))
    assert full / 2 <= backoff(attempt, base=1.0, cap=60.0, jitter=jitter) <= full


@pytest.mark.parametrize(
    ("attempt", "retry_after", "expected"),
    [
        (1, None, 1.0),
        (2, None, 2.0),
        (2, 0.5, 2.0),  # sooner than asked for would be rude, later than our own pace is not needed
        (2, 17.0, 17.0),
        (1, 1000.0, 1000.0),  # beyond the cap too: the other side knows
        (3, None, None),
        (3, 17.0, None),
        (99, None, None),
    ],
)
def test_a_retry_comes_or_is_given_up(attempt, retry_after, expected):
    policy = RetryPolicy(attempts=3, base=1.0, cap=60.0)
    assert policy.retry_in(attempt, jitter=1.0, retry_after=retry_after) == expected
