"""The testing kit: renders of the producer module's real interface, without server, vendor or waiting."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from renderline.kinds import KINDS as REAL_KINDS
from renderline.ledger.record import public_record
from renderline.producer import RequestNotAccepted, enqueue_render, enqueue_renders, wait_for
from renderline.testing import FakeRenderline, Scenario, verify
from renderline.testing.system import KINDS, RETRIES

REQUEST = {"kind": "project", "name": "Welcome", "scenes": [{"script": "Hello."}], "metadata": {"order": "A-17"}}
URL = "https://billing.example/done"


@pytest.fixture
def renderline():
    # As renderline.testing.fixtures has it. A plugin must be imported before any test.
    return FakeRenderline()


def with_hooks(*hooks, **more):
    return {**REQUEST, "hooks": list(hooks), **more}


HTTP = {"type": "http", "url": URL}


def test_a_render_of_ten_minutes_takes_milliseconds_and_reports_its_progress(renderline):
    seen = []
    begin, begun = time.monotonic(), renderline.clock.now
    render_id = enqueue_render(renderline.app, REQUEST, key="order-A-17", wait=30)
    outcome = wait_for(renderline.app, render_id, timeout=900, progress=lambda *change: seen.append(change))
    assert time.monotonic() - begin < 1
    assert 600 <= renderline.clock.now - begun < 610
    assert (outcome.state, outcome.error) == ("delivered", None)
    assert outcome.download_url.endswith(".mp4")
    assert [state for state, _ in seen] == ["accepted", *["rendering"] * 10, "delivered"] or seen[-1][0] == "delivered"
    assert [progress for _, progress in seen] == sorted(progress for _, progress in seen)
    assert renderline.record(render_id)["metadata"] == {"order": "A-17"}


def test_the_same_key_is_the_same_render_and_another_body_is_refused(renderline):
    first = enqueue_render(renderline.app, REQUEST, key="one")
    assert enqueue_render(renderline.app, REQUEST, key="one", wait=5) == first
    assert len(renderline.requests) == 1
    with pytest.raises(RequestNotAccepted, match="another request under the same key"):
        enqueue_render(renderline.app, {**REQUEST, "name": "Other"}, key="one", wait=5)


def test_many_at_once(renderline):
    ids = enqueue_renders(renderline.app, [(f"order-{number}", REQUEST) for number in range(600)])
    assert len(set(ids)) == 600
    renderline.run()
    assert Counter(renderline.record(one)["state"] for one in ids) == {"delivered": 600}


def test_a_failure_of_the_vendor(renderline):
    renderline.will(Scenario(fails=("50010", "Not enough credit")), when=lambda request: request["name"] == "Welcome")
    failed = enqueue_render(renderline.app, with_hooks(HTTP))
    other = enqueue_render(renderline.app, {**REQUEST, "name": "Other"})
    assert wait_for(renderline.app, failed, timeout=900)[1:] == ("failed", None, None, "Not enough credit")
    assert wait_for(renderline.app, other, timeout=900).state == "delivered"
    assert renderline.record(failed)["error"] == {"code": "50010", "message": "Not enough credit", "origin": "vendor"}
    assert [one.payload["type"] for one in renderline.deliveries] == ["render.failed"]


def test_a_vendor_that_answers_429(renderline):
    renderline.will(Scenario(rate_limited=120, seconds=60))
    render_id = enqueue_render(renderline.app, REQUEST)
    renderline.advance(119)
    assert renderline.record(render_id)["state"] == "accepted"
    with pytest.raises(TimeoutError, match="is rendering"):
        wait_for(renderline.app, render_id, timeout=30)
    assert wait_for(renderline.app, render_id, timeout=60).state == "delivered"


def test_a_deadline(renderline):
    renderline.will(Scenario(seconds=7200))
    render_id = enqueue_render(renderline.app, {**REQUEST, "deadline": 1800})
    assert wait_for(renderline.app, render_id, timeout=1900).state == "expired"


def test_a_refused_request_makes_no_render(renderline):
    with pytest.raises(RequestNotAccepted, match="kind: must be one of audio"):
        enqueue_render(renderline.app, {"kind": "film"}, wait=5)
    renderline.will(Scenario(refused={"scenes[0].script": "must have 1 to 1,000 characters"}))
    with pytest.raises(RequestNotAccepted, match=r"scenes.0..script: must have"):
        enqueue_render(renderline.app, REQUEST, wait=5)
    lost = enqueue_render(renderline.app, REQUEST)
    with pytest.raises(TimeoutError, match="not accepted yet, or refused"):
        wait_for(renderline.app, lost, timeout=3600)
    assert renderline.requests == {}


def test_hooks_reach_the_functions_of_the_test_signed(renderline):
    got = []
    renderline.on_hook("https://billing.example/*", lambda delivered: got.append(delivered))
    render_id = enqueue_render(renderline.app, with_hooks({"type": "download"}, HTTP), key="A")
    outcome = wait_for(renderline.app, render_id, timeout=900)
    (delivered,) = got
    assert verify(renderline.hook_secret, delivered.headers, delivered.body)
    assert not verify(renderline.hook_secret, delivered.headers, delivered.body + b" ")
    assert delivered.payload["type"] == "render.completed"
    assert delivered.payload["data"]["stored_url"] == outcome.stored_url


def test_a_receiver_that_is_away_gets_it_later_and_one_that_never_answers_is_a_dead_letter(renderline):
    answers = iter([503, 500, None])

    def away(delivered):
        if (answer := next(answers)) is None:
            return 200
        return answer

    def broken(delivered):
        raise ConnectionError("refused")

    renderline.on_hook(URL, away)
    renderline.on_hook("https://gone.example/*", broken)
    back = enqueue_render(renderline.app, with_hooks(HTTP))
    dead = enqueue_render(renderline.app, with_hooks({"type": "http", "url": "https://gone.example/x"}))
    gone = enqueue_render(renderline.app, with_hooks({"type": "celery", "task": "a.b", "queue": "c"}))
    renderline.on_hook("a.b@c", lambda _: 410)
    renderline.run()
    assert (renderline.record(back)["state"], renderline.record(back)["hooks"][0]["attempts"]) == ("delivered", 3)
    assert renderline.record(dead)["state"] == "undelivered"
    assert renderline.record(dead)["hooks"][0]["attempts"] == len(RETRIES) + 1
    assert "ConnectionError" in renderline.record(dead)["hooks"][0]["error"]
    assert renderline.record(gone)["hooks"][0] | {"at": None} == {
        "type": "celery",
        "state": "dead",
        "attempts": 1,
        "error": "answered 410",
        "at": None,
    }
    ids = Counter(one.headers["webhook-id"] for one in renderline.deliveries if one.headers and one.url == URL)
    assert ids[f"msg_{back}_1_0"] == 3


def test_an_assertion_in_a_receiver_fails_the_test(renderline):
    def wrong(_):
        raise AssertionError("the amount is wrong")

    renderline.on_hook("*", wrong)
    enqueue_render(renderline.app, with_hooks(HTTP))
    with pytest.raises(AssertionError, match="the amount"):
        renderline.run()


def test_a_cancel_and_events(renderline):
    hook = {**HTTP, "events": ["render.canceled"]}
    render_id = enqueue_render(renderline.app, with_hooks(hook, HTTP))
    renderline.advance(60)
    renderline.cancel(render_id)
    renderline.run()
    assert [one["state"] for one in renderline.record(render_id)["hooks"]] == ["delivered", "skipped"]
    assert renderline.record(render_id)["state"] == "canceled"


def test_kinds_and_records_are_those_of_the_real_one(renderline):
    assert set(REAL_KINDS) == KINDS
    render_id = enqueue_render(renderline.app, with_hooks(HTTP))
    renderline.run()
    record = renderline.record(render_id)
    fields = {"kind": "project", "account": "default", "priority": "normal", "state": "accepted"}
    real = public_record(render_id, fields, {"hooks": [HTTP]})
    assert list(record) == list(real)
    assert set(record["hooks"][0]) == set(real["hooks"][0])
