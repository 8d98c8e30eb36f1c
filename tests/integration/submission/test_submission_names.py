"""Before the first call that costs something, a render's names are looked up in the vendor's lists."""

from __future__ import annotations

import pytest

from harness import a_request, example
from renderline.catalogue import CatalogueStore, Refresher
from renderline.catalogue.name_check import NameCheck
from renderline.catalogue.runner import CatalogueRunner
from renderline.ledger import ServerClock
from renderline.submission.outcome import Refused

WRONG = "M777777777"
MESSAGE = f"scenes.0.avatar.model: unknown model '{WRONG}': the vendor's list of this account does not have it"


def wrong(model=WRONG):
    request = a_request(hooks=[])
    request["scenes"][0]["avatar"] = {"model": model, "clothes": "BG00002320"}
    return request


@pytest.fixture
def submitter(local_worker, redis):
    store = CatalogueStore(redis, clock=ServerClock(redis))
    runner = CatalogueRunner(Refresher(store, local_worker.accounts))
    return lambda mode: local_worker.new_submitter(names=NameCheck(store, mode, runner, patience=20))


def test_an_unknown_name_is_refused_before_anything_is_made(local_worker, submitter):
    local_worker.accept(wrong(), "refused")
    assert isinstance(submitter("refuse").submit("refused"), Refused)
    record = local_worker.record("refused")
    assert record["state"] == "failed"
    assert record["error"] == {"code": "unknown_name", "message": MESSAGE, "origin": "caller"}
    assert local_worker.seen() == []


def test_a_warning_stays_in_the_record_once_and_the_render_goes_on(local_worker, submitter):
    local_worker.accept(wrong(), "warned")
    draft = "POST /api/odin/v3/editor/project"
    local_worker.sandbox.control("POST", "faults", call=draft, fault="503", times=1)
    warning = submitter("warn")
    warning.submit("warned")
    warning.submit("warned")
    record = local_worker.poll_until("warned", "completed", "delivered")
    assert record["warnings"] == [MESSAGE]
    assert record["error"] is None


def test_warnings_follow_those_of_the_acceptance(local_worker, submitter):
    payload = {**example("v3-simple-video.json"), "model": WRONG, "resolution": "1081"}
    request = {"kind": "simple_video", "payload": payload, "validation": "warn"}
    local_worker.accept(request, "both")
    before = local_worker.record("both")["warnings"]
    assert before
    submitter("warn").submit("both")
    assert local_worker.record("both")["warnings"] == [*before, MESSAGE.removeprefix("scenes.0.avatar.")]


def test_with_ignore_no_list_is_read(local_worker, submitter):
    local_worker.accept(wrong(), "ignored")
    submitter("ignore").submit("ignored")
    assert local_worker.record("ignored")["state"] == "rendering"
    assert local_worker.sandbox.calls("/model") == 0


def test_a_list_that_cannot_be_read_holds_nothing_up(local_worker, submitter):
    local_worker.sandbox.control("POST", "faults", call="GET /api/odin/v3/model", fault="500")
    local_worker.accept(wrong(), "unchecked")
    submitter("refuse").submit("unchecked")
    record = local_worker.record("unchecked")
    assert (record["state"], record["warnings"]) == ("rendering", [])


def test_a_worker_that_lost_its_claim_warns_of_nothing(local_worker):
    local_worker.accept(wrong(), "lost")
    claim = local_worker.claim("lost")
    local_worker.lapse("lost")
    assert local_worker.ledger.claim_submission("lost", lease=30.0)
    assert not local_worker.ledger.warn(claim, ["late"])
    assert local_worker.record("lost")["warnings"] == []


def test_a_record_keeps_the_first_warnings_of_many(local_worker):
    local_worker.accept(wrong(), "many")
    claim = local_worker.claim("many")
    for _ in range(2):
        assert local_worker.ledger.warn(claim, [f"warning {number}" for number in range(30)])
    assert local_worker.record("many")["warnings"] == [f"warning {number}" for number in range(20)]
