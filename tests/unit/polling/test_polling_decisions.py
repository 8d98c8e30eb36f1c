"""What a poll means for a render."""

import dataclasses
import json

import pytest

from harness.ledger import due_poll
from renderline.kinds import render_evidence, started_since
from renderline.polling import confirmation, decisions, evidence
from renderline.polling.policy import PollPolicy
from renderline.studio import (
    CredentialsRefused,
    Progress,
    Project,
    ProjectMissing,
    RateLimited,
    TokenRejected,
    VendorUnavailable,
)

NOW = 10_000.0
POLICY = PollPolicy(first_interval=1.0, min_interval=2.0, max_interval=30.0, confirm_interval=10.0)
LOOK = due_poll(NOW)
DRAFT = Project("p1", "n", "draft", 0.0, None, False, None, None)
RENDERED = dataclasses.replace(
    DRAFT, state="exported", progress=100.0, backend_task_id="t1", credit_subtracted=True, download_url="u"
)


def due_poll(**changes):
    return dataclasses.replace(LOOK, **changes)


PROGRESS = [
    # what the claim knew, what was seen, the status, the error code
    ({}, Progress(100.0, "https://v/1.mp4", "exported"), "done", ""),
    ({}, Progress(40.0, "https://v/1.mp4", "exported"), "done", ""),  # the state says so
    ({}, Progress(40.0, "https://v/old.mp4", "exporting"), "wait", ""),  # a URL of an earlier render, perhaps
    ({}, Progress(40.0), "wait", ""),
    ({}, Progress(5.0), "wait", ""),  # falling back is not failing
    ({}, Progress(40.0, None, "something new"), "wait", ""),  # an unknown state is kept waiting
    ({}, Progress(40.0, None, "failed"), "failed", ""),
    ({}, Progress(40.0, None, "FAIL"), "failed", ""),
    ({}, Progress(40.0, None, "error", "7001", "no such voice"), "failed", "7001"),
    ({}, Progress(100.0), "wait", ""),  # seen at 100 for the first time
    ({"progress": 100.0, "progress_at": NOW - 599}, Progress(100.0), "wait", ""),
    ({"progress": 100.0, "progress_at": NOW - 9000}, Progress(100.0), "wait", ""),  # rendered and paid: never failed
    ({"deadline_at": NOW}, Progress(100.0), "expired", "no_download_url"),
    ({}, Progress(0.0, "https://v/1.mp4", "Complete"), "done", ""),  # the only sign of the end is a word
    ({}, Progress(0.0, "https://v/1.mp4", "completed"), "done", ""),
    ({}, Progress(100.0, None, "failed"), "failed", ""),
    ({"progress": 100.0, "progress_at": NOW - 601}, Progress(100.0, "u"), "done", ""),
    ({"progress": 99.0, "progress_at": NOW - 601}, Progress(100.0), "wait", ""),
    ({"deadline_at": NOW}, Progress(97.5), "expired", "deadline"),
    ({"deadline_at": NOW - 50}, Progress(100.0, "u"), "done", ""),  # late, but there
    ({"deadline_at": NOW - 50}, Progress(40.0, None, "failed"), "failed", ""),  # the vendor's word is more than ours
]


@pytest.mark.parametrize(("changes", "seen", "status", "code"), PROGRESS)
def test_progress(changes, seen, status, code):
    finding = decisions.of_progress(due_poll(**changes), seen, now=NOW, policy=POLICY)
    assert (finding.id, finding.epoch, finding.status, finding.code) == ("r1", 4, status, code)
    if status == "done":
        assert finding.url == seen.download_url
        assert finding.progress == 100.0
    elif status == "wait":
        assert POLICY.min_interval <= finding.poll_in <= POLICY.max_interval
        assert finding.progress == seen.progress
    else:
        assert finding.message


def test_the_vendors_words_are_kept_and_ours_are_marked_as_ours():
    failed = decisions.of_progress(
        LOOK, Progress(40.0, None, "failed", "7001", "no such voice"), now=NOW, policy=POLICY
    )
    assert (failed.message, failed.origin) == ("no such voice", "vendor")
    silent = decisions.of_progress(LOOK, Progress(40.0, None, "failed"), now=NOW, policy=POLICY)
    assert silent.message == "the vendor reports state 'failed' at 40 %"
    expired = decisions.of_progress(due_poll(deadline_at=NOW), Progress(97.5), now=NOW, policy=POLICY)
    assert expired.origin == "renderline"
    assert "97.5 %" in expired.message
    assert "21 s" in expired.message


@pytest.mark.parametrize(
    "sign",
    [{"progress": 3.0}, {"backend_task_id": "t9"}, {"credit_subtracted": True}, {"download_url": "https://v/1.mp4"}],
    ids=lambda sign: next(iter(sign)),
)
def test_any_sign_of_a_start_means_that_it_started(sign):
    assert evidence.shows_start(Progress(0.0), dataclasses.replace(DRAFT, **sign))


@pytest.mark.parametrize("seen", [Progress(0.5), Progress(0.0, "https://v/1.mp4")])
def test_so_does_any_sign_in_the_progress_answer(seen):
    assert evidence.shows_start(seen, DRAFT)
    assert evidence.shows_start(seen, None)


@pytest.mark.parametrize("seen", [Progress(0.0), Progress(0.0, None, "draft"), None])
def test_a_draft_that_nobody_exported_shows_no_start(seen):
    assert not evidence.shows_start(seen, DRAFT)
    assert not evidence.shows_start(seen, None)


def test_a_project_that_was_rendered_before_counts_only_what_changed_since():
    waiting = due_poll(state="unconfirmed", baseline=json.dumps(render_evidence(RENDERED)))
    assert not started_since(RENDERED, waiting.baseline)
    assert decisions.still_the_old_render(waiting, RENDERED)
    for change in ({"backend_task_id": "t2"}, {"progress": 0.0}, {"download_url": None}, {"credit_subtracted": False}):
        anew = dataclasses.replace(RENDERED, **change)
        assert started_since(anew, waiting.baseline)
        assert not decisions.still_the_old_render(waiting, anew)
    renamed = dataclasses.replace(RENDERED, name="other", updated_at="2026-01-01")
    assert not started_since(renamed, waiting.baseline)


def test_without_a_baseline_nothing_is_an_old_render():
    assert not decisions.still_the_old_render(LOOK, RENDERED)


@pytest.mark.parametrize(
    ("age", "left", "status", "poll_in"),
    [
        (1.0, 1000.0, "wait", 10.0),
        (30.0, 1000.0, "wait", 15.0),  # less and less often
        (500.0, 1000.0, "wait", 30.0),  # up to the most
        (500.0, 4.0, "wait", 4.0),  # not past the deadline
        (500.0, 0.0, "expired", 0.0),
    ],
)
def test_without_evidence_either_way(age, left, status, poll_in):
    seen = due_poll(state="unconfirmed", since=NOW - age, deadline_at=NOW + left)
    finding = confirmation.keep_waiting(seen, now=NOW, policy=POLICY, why="no list")
    assert (finding.status, finding.poll_in) == (status, poll_in)
    if status == "expired":
        assert (finding.code, finding.origin) == ("unconfirmed", "renderline")
        assert "no list" in finding.message


@pytest.mark.parametrize(
    ("faults", "fault", "status", "poll_in"),
    [
        (0, VendorUnavailable("away"), "error", 2.0),
        (1, VendorUnavailable("away"), "error", 4.0),
        (50, VendorUnavailable("away"), "error", 30.0),
        (0, VendorUnavailable("away", retry_after=90.0), "error", 90.0),
        (0, RateLimited("slowly", retry_after=90.0), "error", 2.0),
        (3, RateLimited("slowly", retry_after=1.0), "error", 16.0),
        (0, RateLimited("slowly"), "error", 2.0),
        (0, TokenRejected("no"), "error", 2.0),
        (0, CredentialsRefused("no"), "error", 2.0),
        (0, ProjectMissing("gone"), "error", 2.0),
        (1, ProjectMissing("gone"), "error", 4.0),
        (2, ProjectMissing("gone"), "failed", 0.0),
        (9, ProjectMissing("gone"), "failed", 0.0),
    ],
)
def test_a_look_that_failed(faults, fault, status, poll_in):
    finding = decisions.of_fault(due_poll(faults=faults), fault, now=NOW, window=20.0, policy=POLICY, jitter=1.0)
    assert (finding.status, finding.poll_in) == (status, poll_in)
    assert finding.message


def of_missing(fault, *, window=20.0):
    return decisions.of_fault(due_poll(faults=2), fault, now=NOW, window=window, policy=POLICY, jitter=1.0)


def test_a_project_that_reads_may_not_show_yet_is_not_missing():
    assert of_missing(ProjectMissing("gone"), window=22.0).status == "error"
    assert of_missing(ProjectMissing("gone"), window=21.0).status == "failed"


def test_a_missing_project_fails_with_the_vendors_words_or_ours():
    result = of_missing(ProjectMissing("gone", code="40401"))
    assert (result.code, result.message, result.origin) == ("40401", "gone", "vendor")
    untold = of_missing(ProjectMissing())
    assert (untold.code, untold.message) == ("project_missing", "the vendor no longer knows the project")


@pytest.mark.parametrize(
    ("seen", "left", "following", "status", "stage"),
    [
        (Progress(100.0, None, "finish"), 60.0, "baseline", "next", "baseline"),
        (Progress(100.0, None, "finish"), 60.0, None, "done", None),
        # What it made is paid for and there, so it is not made again: the next stage, or a retry, begins with it.
        (Progress(100.0, None, "finish"), -1.0, "baseline", "next", "baseline"),
        (Progress(100.0, None, "finish"), -1.0, None, "done", None),
        (Progress(99.0), -1.0, "baseline", "expired", None),
        (Progress(99.0, None, "failed"), -1.0, "baseline", "failed", None),
    ],
)
def test_a_stage_that_others_follow(seen, left, following, status, stage):
    due = due_poll(deadline_at=NOW + left)
    result = decisions.of_stage(due, seen, now=NOW, policy=POLICY, following=following)
    assert (result.status, result.stage) == (status, stage)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        # 40 % in 20 s: the other 60 % would take 30 s.
        ({"progress": 40.0, "intent_at": NOW - 60, "progress_at": NOW - 40}, 10.0),
        ({"progress": 40.0, "intent_at": NOW - 30, "progress_at": NOW - 10}, 0.0),
        ({"progress": 50.0, "rate": 5.0, "progress_at": NOW - 12}, 2.0),
        ({"progress": 0.0}, None),
    ],
    ids=["late", "early", "by the rate that was learnt", "no progress seen"],
)
def test_for_how_long_a_render_was_done_when_a_poll_found_it(changes, seconds):
    found = decisions.done_for(due_poll(**changes), now=NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))
