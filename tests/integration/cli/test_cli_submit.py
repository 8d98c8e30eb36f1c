"""`renderline submit`: what files may hold, and what is refused."""

import json

import pytest

from harness import ROOT
from renderline.contract import render_id_for_key

AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}


def compact(script="Hello.", **fields):
    return {"kind": "project", "scenes": [{"script": script, "avatar": AVATAR}], **fields}


def test_a_request_is_accepted_and_shown(run, request_file):
    ended = run("submit", request_file(compact(name="Welcome")), "--json")
    assert ended.code == 0
    assert ended.err == ""
    (record,) = ended.value
    assert (record["state"], record["name"]) == ("accepted", "Welcome")


def test_people_see_a_table_with_the_whole_id(run, request_file):
    ended = run("submit", request_file(compact(name="[bold]Welcome[/bold]")))
    listed = run("list", "--json").value["renders"]
    assert listed[0]["id"] in ended.out
    assert "[bold]Welcome[/bold]" in ended.out


def test_lists_json_lines_vendor_bodies_and_standard_input_together(run, request_file):
    body = json.loads((ROOT / "examples/v3-two-scenes.json").read_text())
    files = [
        request_file([compact(name="A"), compact(name="B")], "list.json"),
        request_file("\n".join(json.dumps(compact(name=name)) for name in "CD") + "\n\n", "lines.jsonl"),
        request_file(body, "vendor.json"),
    ]
    ended = run("submit", *files, "-", "--json", given=json.dumps(compact(name="E")))
    assert ended.code == 0, ended
    assert [one["name"] for one in ended.value[:4]] == ["A", "B", "C", "D"]
    assert ended.value[4]["kind"] == "project"
    assert ended.value[5]["name"] == "E"


def test_a_draft_alone_takes_no_download(run, request_file):
    draft = request_file(compact(export=False))
    assert run("submit", draft).code == 0
    ended = run("submit", draft, "--download")
    assert (ended.code, "hooks.0: must be left out: a draft (export: false)" in ended.err) == (2, True)


def test_every_wrong_field_of_every_request_is_named_and_nothing_is_accepted(run, request_file):
    wrong = request_file([compact(), compact(priority="soon"), {"kind": "project", "scenes": []}], "wrong.json")
    ended = run("submit", request_file(compact(), "good.json"), wrong, "--json")
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert any("wrong.json[1]: priority: " in line for line in lines)
    assert any("wrong.json[2]: scenes: " in line for line in lines)
    assert all(line.startswith("renderline: ") for line in lines)
    assert run("list", "--json").value["renders"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("{nonsense", "is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        ('{"kind": 1}\n{"kind"', "line 2: is not JSON"),
        ("[]", "holds no request"),
        ("17", "must be an object"),
        ('{"what": "is this"}', "neither a render request nor a vendor body"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_holds_no_requests(run, request_file, content, said):
    ended = run("submit", request_file(content, "bad.json"))
    assert ended.code == 2
    assert "bad.json" in ended.err
    assert said in ended.err


def test_bytes_that_are_no_text(run):
    ended = run("submit", "-", given=b"\xff\xfe\x00")
    assert ended.code == 2
    assert "is not UTF-8" in ended.err


def test_a_missing_file_is_a_usage_error_in_one_line(run):
    ended = run("submit", "/nowhere.json")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1


def test_a_key_is_the_same_render_again_and_another_request_a_conflict(run, request_file):
    first = run("submit", request_file(compact()), "--key", "order-1", "--json").value
    again = run("submit", request_file(compact()), "--key", "order-1", "--json").value
    assert first[0]["id"] == again[0]["id"] == render_id_for_key("order-1")
    ended = run("submit", request_file(compact("Another.")), "--key", "order-1")
    assert ended.code == 2
    assert "another request" in ended.err


def test_keys_can_come_from_the_requests(run, request_file):
    orders = [compact(metadata={"order": order}) for order in ("A-1", 2)]
    ended = run("submit", request_file(orders), "--key-from", "metadata.order", "--json")
    assert [one["id"] for one in ended.value] == [render_id_for_key("A-1"), render_id_for_key("2")]
    ended = run("submit", request_file([*orders, compact()]), "--key-from", "metadata.order")
    assert ended.code == 2
    assert "[2]: metadata.order: must be text or a whole number" in ended.err


def test_one_key_for_several_requests_is_refused(run, request_file):
    ended = run("submit", request_file([compact(), compact()]), "--key", "A")
    assert ended.code == 2
    assert "--key-from" in ended.err


def test_a_key_with_a_control_character_is_refused_before_anything_is_accepted(run, request_file):
    ended = run("submit", request_file(compact()), "--key", "a\tb")
    assert ended.code == 2
    assert "key: must not have control characters" in ended.err


def test_download_adds_a_hook_in_front_where_none_is(run, request_file):
    other = {"type": "celery", "task": "billing.ready", "queue": "billing"}
    own = {"type": "download", "path": "own.mp4"}
    requests = [compact(), compact(hooks=[other]), compact(hooks=[other, own])]
    ended = run("submit", request_file(requests), "--download", "--json")
    assert [[hook["type"] for hook in one["hooks"]] for one in ended.value] == [
        ["download"],
        ["download", "celery"],
        ["celery", "download"],
    ]


def test_without_an_account_it_says_what_to_set(run, request_file):
    ended = run("submit", request_file(compact()), AISTUDIOS_APP_ID="", AISTUDIOS_USER_KEY="")
    assert ended.code == 2
    assert "AISTUDIOS_APP_ID" in ended.err


def test_nobody_renders_it_in_time(run, request_file):
    ended = run("submit", request_file(compact()), "--wait", "--timeout", "0.3", "--json")
    assert ended.code == 4
    assert ended.value[0]["state"] == "accepted"
    assert "has not ended" in ended.err


ODD_CLIP = {"id": "i", "type": "image", "layer": 1, "top": 0, "left": 0, "height": 9, "width": -9, "source_url": "/a"}
ODD = {"kind": "project", "payload": {"scenes": [{"sceneIdx": 0, "background": {}, "clips": [ODD_CLIP]}]}}
WARNING = "payload.scenes.0.clips.0.width: should be at least 0; passed on all the same"


def test_a_dry_run_shows_warnings_and_submits_nothing(run, request_file):
    path = request_file([ODD, compact(name="Plain")])
    ended = run("submit", path, "--dry-run", "--json")
    assert ended.code == 0, ended
    assert [(one["kind"], one["name"], one["warnings"]) for one in ended.value] == [
        ("project", "Untitled", [WARNING]),
        ("project", "Plain", []),
    ]
    assert run("list", "--json").value["renders"] == []
    assert "should be at least 0" in " ".join(run("submit", path, "--dry-run").out.split())
    assert run("submit", path, "--dry-run", "--wait").code == 2


def test_a_dry_run_names_what_is_wrong(run, request_file):
    ended = run("submit", request_file({**ODD, "validation": "off"}), "--dry-run")
    assert ended.code == 2
    assert "validation: must be one of strict, warn, not 'off'" in ended.err


def test_the_record_and_its_views_show_the_warnings(run, request_file):
    ended = run("submit", request_file(ODD), "--json")
    assert ended.value[0]["warnings"] == [WARNING]
    assert "should be at least 0" in " ".join(run("status", ended.value[0]["id"]).out.split())
    assert "warning:" in run("list").out
