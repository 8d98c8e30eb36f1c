"""A name that the vendor's lists do not have: a warning or a refusal, never by a list that could not be read."""

from __future__ import annotations

import threading
import time

import pytest

from harness import a_request
from harness.fake_vendor import failure, success
from harness.pick_lists import JONATHAN, RUBY
from renderline.catalogue import Refresher
from renderline.catalogue.name_check import RECENT, NameCheck
from renderline.kinds import KINDS, load_body

UNKNOWN = "M777777777"


def body(model="M000045058", clothes="BG00002320", **fields):
    request = a_request(**fields)
    request["scenes"][0]["avatar"] = {"model": model, "clothes": clothes}
    return load_body(KINDS["project"], request)[0]


@pytest.fixture
def new_check(store, runner):
    """A worker's check."""
    return lambda mode="refuse": NameCheck(store, mode, runner, patience=20)


def unknown_in(check, request_body):
    return [(one.path, one.message, one.refused) for one in check.before_charge("project", request_body, "main")]


def test_what_the_lists_have_is_fine(new_check, lists):
    assert unknown_in(new_check(), body(workspace_id="W1")) == []
    assert unknown_in(new_check("ignore"), body(UNKNOWN)) == []
    assert lists.asked() == 1


@pytest.mark.parametrize("mode", ["warn", "refuse"])
def test_what_they_lack_is_named_with_its_path(new_check, mode):
    refused = mode == "refuse"
    lacking = ": the vendor's list of this account does not have it"
    assert unknown_in(new_check(mode), body(UNKNOWN, workspace_id="W9")) == [
        ("scenes.0.avatar.model", f"unknown model '{UNKNOWN}'{lacking}", refused),
        ("workspaceId", f"unknown workspace 'W9'{lacking}", refused),
    ]
    assert unknown_in(new_check(mode), body(clothes="BG0000232")) == [
        (
            "scenes.0.avatar.clothes",
            "unknown clothes 'BG0000232' of model 'M000045058'; did you mean 'BG00002320'?",
            refused,
        ),
    ]


def test_clothes_are_those_of_the_avatar_that_wears_them(new_check, lists):
    lists.rows["/model"] = [JONATHAN, RUBY, {"id": "M3"}]
    ((path, message, _),) = unknown_in(new_check(), body("M000004017", "BG00002320"))
    assert path == "scenes.0.avatar.clothes"
    assert "of model 'M000004017'" in message
    # The list says nothing about the clothes of this one.
    assert unknown_in(new_check(), body("M3", "anything")) == []


def test_a_name_that_an_older_list_lacks_is_looked_up_in_a_new_one_once(new_check, lists, now, store):
    check = new_check()
    assert unknown_in(check, body()) == []
    lists.rows["/model"] = [{**RUBY, "clothes": [{"id": "BG00006160"}]}, JONATHAN]
    now[0] += RECENT
    assert unknown_in(check, body("M000004017", "BG00006160")) == []
    assert lists.asked() == 2
    assert unknown_in(check, body(UNKNOWN)) != []
    assert unknown_in(check, body(UNKNOWN)) != []
    assert lists.asked() == 2


def test_an_old_list_that_cannot_be_read_anew_refuses_nothing(new_check, lists, now):
    check = new_check()
    unknown_in(check, body())
    lists.rows["/model"] = lambda call: failure(500, "E", "broken")
    now[0] += RECENT + check.patience
    ((path, _, refused),) = unknown_in(check, body(UNKNOWN))
    assert (path, refused) == ("scenes.0.avatar.model", False)


def test_without_any_list_nothing_is_unknown(new_check, lists):
    lists.rows["/model"] = lambda call: failure(500, "E", "broken")
    check = new_check()
    assert unknown_in(check, body(UNKNOWN)) == []
    assert unknown_in(check, body(UNKNOWN)) == []
    assert lists.asked() == 1, "for a while nobody tries again"


def test_a_list_that_takes_long_holds_up_one_submission_and_no_more(store, runner, lists):
    go_on = threading.Event()
    lists.rows["/model"] = lambda call: success([JONATHAN]) if go_on.wait(20) else None
    check = NameCheck(store, "refuse", runner, patience=0.2)
    try:
        began = time.monotonic()
        for _ in range(50):
            assert unknown_in(check, body(UNKNOWN)) == []
        assert time.monotonic() - began < 5
    finally:
        go_on.set()


def test_a_list_that_was_cut_proves_nothing(new_check, lists, monkeypatch):
    lists.rows["/model"] = [{"id": f"M{number:06}", "label": "x" * 100} for number in range(100)]
    monkeypatch.setattr("renderline.catalogue.store.MOST_BYTES", 5000)
    assert unknown_in(new_check(), body(UNKNOWN)) == []


def at_door(check, request, kind="project"):
    return check.at_door(kind, load_body(KINDS[kind], request)[0], "main", request=request)


SIMPLE = {"kind": "simple_video", "language": "en", "text": "Hi.", "model": "Jonathan", "clothes": "BG00002320"}


def test_a_door_asks_the_cache_alone_and_the_workers_for_what_it_lacks(store, runner, lists, new_store):
    door = NameCheck(new_store(), "refuse")
    assert at_door(door, SIMPLE, "simple_video") == {}
    assert lists.asked() == 0
    runner.run("main")
    door = NameCheck(new_store(), "refuse")
    assert at_door(door, SIMPLE, "simple_video") == {"model": ["unknown model 'Jonathan'; did you mean 'M000045058'?"]}
    payload = {"kind": "simple_video", "payload": {name: value for name, value in SIMPLE.items() if name != "kind"}}
    assert list(at_door(door, payload, "simple_video")) == ["payload.model"]
    assert lists.asked() == 1
    assert at_door(NameCheck(new_store(), "warn"), SIMPLE, "simple_video") == {}


def test_a_door_has_a_list_read_anew_that_lacks_a_name_and_refuses_nothing_by_one_past_its_lifetime(
    store, runner, lists, new_store, now
):
    Refresher(store, runner.refresher.clients).current("main", "models")
    lists.rows["/model"] = [JONATHAN, {"id": "Jonathan"}]
    now[0] += RECENT
    assert list(at_door(NameCheck(new_store(), "refuse"), SIMPLE, "simple_video")) == ["model"]
    runner.run("main")
    assert at_door(NameCheck(new_store(), "refuse"), SIMPLE, "simple_video") == {}
    now[0] += 3600
    assert at_door(NameCheck(new_store(), "refuse"), {**SIMPLE, "model": "nobody"}, "simple_video") == {}


def test_a_door_reads_redis_every_few_seconds_however_many_requests_come(store, refresher, redis):
    refresher.current("main", "models")
    door = NameCheck(store, "refuse")
    at_door(door, SIMPLE, "simple_video")
    before = redis.info("stats")["total_commands_processed"]
    for _ in range(100):
        at_door(door, SIMPLE, "simple_video")
    assert redis.info("stats")["total_commands_processed"] - before < 5


def test_no_hint_names_a_template_that_the_tenant_was_not_granted(new_check, lists, store, runner):
    lists.rows["/dropdown/templates_business"] = [{"id": "spring-sale", "name": "Spring sale"}]
    request = {"kind": "template", "template_id": "spring-sal", "name": "Mine"}
    helpful = "unknown template 'spring-sal'; did you mean 'spring-sale'?"
    silent = "unknown template 'spring-sal': the vendor's list of this account does not have it"
    checked = load_body(KINDS["template"], request)[0]

    def said(tenant):
        (found,) = new_check().before_charge("template", checked, "main", tenant=tenant)
        (at_door,) = NameCheck(store, "refuse").at_door("template", checked, "main", request=request, tenant=tenant)[
            "template_id"
        ]
        assert found.message == at_door
        return at_door

    assert said("default") == helpful
    assert said("acme") == silent


def test_thousands_of_unknown_names_are_compared_with_the_lists_a_few_times_alone(new_check, lists):
    lists.rows["/model"] = [{"id": f"M{number:06}", "label": f"Name {number}"} for number in range(1500)]
    scenes = [{"scripts": [{"modelId": f"X{number}"}]} for number in range(3000)]
    began = time.process_time()
    assert len(unknown_in(new_check("warn"), {"payload": {"scenes": scenes}})) == 3000
    assert time.process_time() - began < 2.0
