"""While webhooks arrive, polling only makes sure; where they do not, nothing is different from before."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ledger import due_poll
from renderline.polling import decisions
from renderline.polling.policy import PollPolicy, ProgressHistory, poll_in
from renderline.studio import Progress, ProjectMissing, VendorUnavailable

POLICY = PollPolicy(
    first_interval=2.0, min_interval=2.0, max_interval=30.0, confirm_interval=10.0, fallback_interval=60.0
)
WITHOUT = dataclasses.replace(POLICY, fallback_interval=None)
NOW = 10_000.0
LOOK = due_poll(NOW)
URL = "https://v/1.mp4"


def course(age, progress):
    """Return what one poll at that age has shown."""
    return ProgressHistory(NOW).seen(progress, now=NOW + age)


def due_poll(**changes):
    return dataclasses.replace(LOOK, **changes)


@pytest.mark.parametrize(
    ("policy", "slow", "expected"),
    [
        (POLICY, None, 60.0),
        (POLICY, 100.0, 60.0),  # quick renders: never sooner than the setting says
        (POLICY, 500.0, 200.0),  # slow ones need fewer such polls for the same safety
        (WITHOUT, 500.0, None),
    ],
)
def test_the_looks_that_only_make_sure_keep_to_how_long_renders_take(policy, slow, expected):
    assert policy.fallback_poll_in(slow) == expected


@pytest.mark.parametrize(("age", "progress", "expected"), [(10.0, 0, 200.0), (200.0, 40, 300.0), (200.0, 10, 400.0)])
def test_the_next_look_where_renders_take_long(age, progress, expected):
    seen = course(age, progress)
    wait = poll_in(seen, policy=POLICY, now=NOW + age, deadline_at=1e9, slow=500.0, webhooks_alive=True)
    assert wait == pytest.approx(expected)


@pytest.mark.parametrize(
    ("age", "progress", "trusted", "expected"),
    [
        (10.0, 50, True, 60.0),  # 10 s remain, a webhook will say when they are over: we poll once they long are
        (100.0, 50, True, 100.0),  # not before the predicted end
        (100.0, 10, True, 120.0),  # but at least so often
        (10.0, 0, True, 60.0),  # no progress yet
        (900.0, 0, True, 120.0),  # nothing moves for a long time
        (900.0, 99, True, 60.0),  # past the predicted end, and no webhook came: poll by poll until it is found done
        (100.0, 100, True, 2.0),  # ready, the URL lags behind
        (10.0, 50, False, 5.0),  # no webhooks arrive: as without
        (10.0, 0, False, 8.0),
    ],
)
def test_the_next_look(age, progress, trusted, expected):
    wait = poll_in(course(age, progress), policy=POLICY, now=NOW + age, deadline_at=1e9, webhooks_alive=trusted)
    assert wait == pytest.approx(expected)


def test_the_latest_rate_predicts_the_end_here_too():
    options = {"policy": POLICY, "now": NOW + 100, "deadline_at": 1e9, "webhooks_alive": True}
    assert poll_in(course(100.0, 60.0), **options) == pytest.approx(66.7, abs=0.1)
    assert poll_in(course(80.0, 50.0).seen(60.0, now=NOW + 100), **options) == pytest.approx(80.0)


@pytest.mark.parametrize(("left", "expected"), [(1000.0, 60.0), (17.0, 17.0), (0.0, 0.0), (-5.0, 0.0)])
def test_no_look_is_put_off_past_the_deadline(left, expected):
    wait = poll_in(course(10.0, 50), policy=POLICY, now=NOW + 10, deadline_at=NOW + 10 + left, webhooks_alive=True)
    assert wait == expected


@given(age=st.floats(0, 1e6), progress=st.floats(0, 100), later=st.floats(0, 1e5))
def test_without_a_net_trust_changes_nothing(age, progress, later):
    seen, asked = course(age, progress), {"now": NOW + age + later, "deadline_at": 1e9}
    expected = poll_in(seen, policy=WITHOUT, **asked)
    assert poll_in(seen, policy=WITHOUT, webhooks_alive=True, **asked) == expected
    assert poll_in(seen, policy=POLICY, webhooks_alive=False, **asked) == expected


@given(age=st.floats(0, 1e6), progress=st.floats(0, 99.99))
def test_a_trusted_render_is_looked_at_between_once_and_twice_a_net(age, progress):
    wait = poll_in(course(age, progress), policy=POLICY, now=NOW + age, deadline_at=1e9, webhooks_alive=True)
    assert 60.0 <= wait <= 120.0


def test_a_steady_render_whose_webhooks_are_lost_is_found_soon_after_it_is_done_with_few_looks():
    for duration in (5.0, 59.0, 61.0, 130.0, 600.0, 1800.0):
        now, due_polls, seen = 60.0, 1, ProgressHistory(0.0)
        while now < duration:
            seen = seen.seen(100 * now / duration, now=now)
            now += poll_in(seen, policy=POLICY, now=now, deadline_at=1e9, webhooks_alive=True)
            due_polls += 1
        assert now - duration <= 61.0
        assert due_polls <= 2 + duration / 60


@pytest.mark.parametrize(
    ("changes", "poll_in"),
    [
        ({"webhooks_alive": True}, 60.0),
        ({}, 6.75),
        (
            {"webhooks_alive": True, "webhook_done": True},
            6.75,
        ),  # a webhook reported the end, the vendor does not show it: polls find out
        ({"webhooks_alive": True, "kind": "v2_project"}, 6.75),  # a call that takes no webhook URL
    ],
)
def test_who_is_trusted(changes, poll_in):
    finding = decisions.of_progress(due_poll(**changes), Progress(50.0), now=NOW, policy=POLICY)
    assert (finding.status, finding.poll_in) == ("wait", poll_in)


@pytest.mark.parametrize(
    ("changes", "status", "poll_in"),
    [
        ({"reported_url": URL}, "done", 0.0),
        ({"reported_url": URL, "deadline_at": NOW - 5}, "done", 0.0),
        ({}, "wait", 30.0),
        ({"deadline_at": NOW + 4}, "wait", 4.0),
        ({"deadline_at": NOW}, "expired", 0.0),
    ],
)
def test_a_render_without_a_project_to_ask(changes, status, poll_in):
    finding = decisions.of_webhook(due_poll(project_id=None, **changes), now=NOW, policy=POLICY)
    assert (finding.status, finding.poll_in) == (status, poll_in)
    if status == "done":
        assert (finding.url, finding.progress) == (URL, 100.0)
    if status == "expired":
        assert (finding.code, finding.origin) == ("deadline", "renderline")


@pytest.mark.parametrize(
    ("fault", "changes", "status"),
    [
        (ProjectMissing("gone"), {"faults": 2, "reported_url": URL}, "done"),
        (ProjectMissing("gone"), {"faults": 1, "reported_url": URL}, "error"),
        (ProjectMissing("gone"), {"faults": 2}, "failed"),
        (
            VendorUnavailable("away"),
            {"faults": 9, "reported_url": URL},
            "error",
        ),  # there is a project: it is asked again
        (VendorUnavailable("away"), {"faults": 2, "reported_url": URL, "project_id": None}, "done"),
        (VendorUnavailable("away"), {"faults": 1, "reported_url": URL, "project_id": None}, "error"),
        (VendorUnavailable("away"), {"faults": 9, "project_id": None}, "error"),
    ],
)
def test_a_told_address_counts_once_the_project_cannot_be_asked(fault, changes, status):
    finding = decisions.of_fault(due_poll(**changes), fault, now=NOW, window=20.0, policy=POLICY, jitter=1.0)
    assert finding.status == status
    assert finding.url == (URL if status == "done" else None)
