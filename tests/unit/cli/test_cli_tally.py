"""The tally of many renders: counts, rates, the expected end, and which are worth a line."""

from workers.cli.tally import Tally


def record(one, state, progress=0):
    return {"id": one, "name": one, "state": state, "progress": progress}


def test_each_render_counts_once_in_its_present_state():
    tally = Tally(3, now=0)
    tally.update([record("a", "accepted"), record("b", "rendering", 50)], now=0)
    tally.update([record("a", "rendering"), record("b", "failed"), record("c", "delivered")], now=1)
    assert tally.by_state() == "1 rendering, 1 delivered, 1 failed"
    assert tally.ended == 2


def test_nobody_knows_the_end_at_the_begin():
    tally = Tally(10, now=0)
    tally.update([record("a", "delivered")], now=0)
    assert (tally.per_minute(now=1), tally.left(now=1)) == (None, None)


def test_the_expected_end_follows_from_the_progress_before_any_render_has_ended():
    tally = Tally(2, now=0)
    for now in range(11):
        tally.update([record("a", "rendering", 5 * now), record("b", "rendering", 5 * now)], now=now)
    assert tally.per_minute(now=10) == 0
    assert round(tally.left(now=10), 6) == 10


def test_the_rate_is_that_of_the_last_two_minutes():
    tally = Tally(10_000, now=0)
    for now in range(301):
        # One a second for three minutes, then ten.
        ended = range(now, now + 1) if now <= 180 else range(10 * now, 10 * now + 10)
        tally.update([record(str(one), "delivered") for one in ended], now=now)
    assert tally.per_minute(now=300) == 600


def test_a_standstill_has_no_expected_end():
    tally = Tally(2, now=0)
    tally.update([record("a", "rendering", 50)], now=0)
    tally.update([], now=10)
    assert tally.left(now=10) is None


def test_what_moved_last_comes_first():
    tally = Tally(4, now=0)
    tally.update([record("a", "rendering"), record("b", "rendering"), record("c", "accepted")], now=0)
    tally.update([record("a", "rendering", 1)], now=1)
    assert [one["id"] for one in tally.moving(5)] == ["a", "b"]
    assert [one["id"] for one in tally.moving(1)] == ["a"]


def test_a_failed_render_that_was_retried_is_no_failure():
    tally = Tally(2, now=0)
    tally.update([record("a", "failed"), record("b", "expired")], now=0)
    assert [one["id"] for one in tally.failures()] == ["b", "a"]
    tally.update([record("a", "submitting")], now=1)
    assert [one["id"] for one in tally.failures()] == ["b"]
