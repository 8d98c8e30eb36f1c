"""A draft that is found by its name may have been exported already: the ledger lost what it knew of that."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from redis import Redis

from harness import ROOT
from harness.fake_vendor import Call, FakeVendor, failure, success
from harness.recorded_dispatcher import RecordedDispatcher
from harness.requests import record
from renderline.accounts.clients import AccountClients
from renderline.accounts.token import SharedToken
from renderline.drafts import project_name
from renderline.ledger import Ledger
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.retry import RetryIn, RetryPolicy
from renderline.studio import StudioV3, TokenEndpoint
from renderline.submission.outcome import NotMyTurn, Submitted
from renderline.submission.submitter import Submitter

RENDER_SECONDS = 600
RENDER = "adopted-1"


@pytest.fixture
def submitter(redis: Redis, vendor: FakeVendor) -> Iterator[Submitter]:
    ledger = Ledger(redis, grace=30.0)
    issuer = TokenEndpoint(vendor.url, app_id="a", user_key="k")
    v3 = StudioV3(vendor.url, tokens=SharedToken(redis, issuer, account="main"), read_timeout=5.0)
    yield Submitter(
        ledger=ledger,
        dispatcher=RecordedDispatcher(),
        accounts={"main": AccountClients("main", v3, None)},
        mode="two_phase",
        lease=30.0,
        policy=PollPolicy(first_interval=0.02),
        durations=Durations(ledger),
        retries=RetryPolicy(attempts=30, base=0.05, cap=0.2),
    )
    v3.close()


def left_with_an_announced_draft(submitter: Submitter) -> None:
    """Bring the render to where a restored append-only file leaves it: the draft announced, nothing known after."""
    data = json.loads((ROOT / "examples" / "compact-landscape.json").read_text())
    record(submitter.ledger, RENDER, {**data, "name": "Hello", "hooks": []})
    claim = submitter.ledger.claim_submission(RENDER, lease=30.0)
    assert claim
    assert submitter.ledger.record_intent(claim, "draft", lease=30.0)
    assert submitter.ledger.release(claim, retry_in=0.0, note="", keep_intent=True)


def drafted(vendor: FakeVendor, *, exported: bool) -> str:
    """Make the project that the lost part of the ledger knew of."""
    answer = {"name": project_name("Hello", RENDER), "isExport": exported}
    vendor.answer(Call(vendor, "draft", None, answer, {}))
    return next(iter(vendor.projects))


def record_of(submitter: Submitter) -> dict[str, object]:
    record = submitter.ledger.record(RENDER)
    assert record
    return record


def test_an_adopted_draft_that_was_exported_is_not_paid_twice(submitter: Submitter, vendor: FakeVendor) -> None:
    left_with_an_announced_draft(submitter)
    project = drafted(vendor, exported=True)
    assert isinstance(submitter.submit(RENDER), Submitted)
    assert vendor.exports_of(RENDER) == 1
    assert len(vendor.projects) == 1
    assert (record_of(submitter)["state"], record_of(submitter)["project_id"]) == ("rendering", project)


def test_an_export_that_only_the_progress_answer_shows_is_not_paid_twice(
    submitter: Submitter, vendor: FakeVendor
) -> None:
    left_with_an_announced_draft(submitter)
    project = drafted(vendor, exported=True)
    untouched = {"_id": project, "state": "draft", "progress": 0, "creditSubstracted": False}
    vendor.override = lambda call: {
        "project": success(untouched),
        "progress": success({"progress": 3.0, "state": "exporting"}),
    }.get(call.name)
    assert isinstance(submitter.submit(RENDER), Submitted)
    assert vendor.exports_of(RENDER) == 1
    assert record_of(submitter)["state"] == "rendering"


def test_nothing_is_exported_while_an_adopted_draft_cannot_be_read(submitter: Submitter, vendor: FakeVendor) -> None:
    left_with_an_announced_draft(submitter)
    drafted(vendor, exported=True)
    vendor.override = lambda call: failure(503, "503", "away") if call.name == "project" else None
    assert isinstance(submitter.submit(RENDER), RetryIn)
    assert vendor.exports_of(RENDER) == 1
    vendor.override = lambda _: None
    assert isinstance(submitter.submit(RENDER), Submitted)
    assert vendor.exports_of(RENDER) == 1
    assert len(vendor.projects) == 1


def test_an_adopted_draft_that_shows_no_start_is_exported_once(submitter: Submitter, vendor: FakeVendor) -> None:
    left_with_an_announced_draft(submitter)
    project = drafted(vendor, exported=False)
    assert isinstance(submitter.submit(RENDER), Submitted)
    assert isinstance(submitter.submit(RENDER), NotMyTurn)
    assert vendor.exports_of(RENDER) == 1
    assert list(vendor.projects) == [project]


def test_a_listed_draft_that_is_gone_does_not_fail_the_render(submitter: Submitter, vendor: FakeVendor) -> None:
    left_with_an_announced_draft(submitter)
    lost = drafted(vendor, exported=False)
    vendor.override = lambda call: failure(404, "404", "gone") if (call.name, call.key) == ("project", lost) else None
    assert isinstance(submitter.submit(RENDER), Submitted)
    assert vendor.exports_of(RENDER) == 1
    assert record_of(submitter)["project_id"] != lost
