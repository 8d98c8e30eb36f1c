"""The v2 routes beyond create and progress over real HTTP, in both of the forms that the vendor shows."""

import pytest
from scripted_vendor import hang_up, reply

from renderline.studio import OutcomeUnknown, PayloadRefused, ProjectMissing, SimpleFound, VendorUnavailable

KEY = "-N4qJq7DwnRjBQ7iozRc"
ROOT = "/api/odin"
SCENE = {"AIModel": {"model": "M1"}, "clips": []}
SPOKEN = {"language": "en", "text": "Hello.", "model": "M1", "clothes": "B1", "webhook": "https://hooks.example.com/x"}
FORMS = [{"success": True, "cube_used": 1, "key": KEY}, {"success": True, "data": {"key": KEY}}]

KEYED = {
    "edit": (lambda v2: v2.edit_template("k/1", {"updates": []}), "editor/project/k%2F1", {"updates": []}),
    "video": (lambda v2: v2.create_simple_video(SPOKEN), "simple/video", SPOKEN),
    "audio": (lambda v2: v2.create_simple_audio(SPOKEN), "simple/audio", SPOKEN),
}


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize("answer", FORMS)
def test_a_call_that_costs_answers_with_a_key_in_either_place(studio_v2, vendor, name, answer):
    call, path, body = KEYED[name]
    vendor.will(reply(answer), reply({"success": True}), hang_up)
    assert call(studio_v2) == KEY
    assert [(one.method, one.path, one.body) for one in vendor.seen] == [("POST", f"{ROOT}/{path}", body)]
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            call(studio_v2)


PROJECT = {"projectName": "Welcome", "scenes": [SCENE]}


@pytest.mark.contradiction(33)
@pytest.mark.parametrize(
    "answer",
    [
        {"success": True, "response": PROJECT, "msg": False},
        {"success": True, "data": {"response": PROJECT}},
        {"success": True, "data": PROJECT},
    ],
)
def test_a_project_is_read_by_key_and_by_name(studio_v2, vendor, answer):
    vendor.will(reply(answer), reply(answer))
    assert studio_v2.read_project(KEY) == PROJECT
    assert studio_v2.read_project_by_name("Welcome/한글 1") == PROJECT
    assert [(one.method, one.path) for one in vendor.seen] == [
        ("GET", f"{ROOT}/editor/project/{KEY}"),
        ("GET", f"{ROOT}/editor/project/name/Welcome%2F%ED%95%9C%EA%B8%80%201"),
    ]


def test_a_project_that_is_missing_or_unreadable(studio_v2, vendor):
    vendor.will(reply({"success": False}, status=404), reply({"success": True, "response": {"scenes": 1}}))
    with pytest.raises(ProjectMissing):
        studio_v2.read_project(KEY)
    with pytest.raises(VendorUnavailable, match="no project with scenes"):
        studio_v2.read_project_by_name("Welcome")


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"success": True, "projectData": {"key": "copy", "scenes": []}}, "copy"),
        ({"success": True, "projectData": {"scenes": []}, "key": "copy"}, "copy"),
        ({"success": True, "data": {"projectData": {"_id": "copy", "scenes": []}}}, "copy"),
        ({"success": True, "projectData": {"scenes": []}}, None),
    ],
)
def test_a_copy_names_its_key_wherever_it_stands(studio_v2, vendor, answer, key):
    vendor.will(reply(answer), hang_up, reply({"success": True}))
    found = studio_v2.duplicate(KEY)
    assert (found.key, found.project["scenes"]) == (key, [])
    seen = vendor.seen[0]
    assert (seen.method, seen.path, seen.body) == ("POST", f"{ROOT}/editor/project/duplicate/{KEY}", {})
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            studio_v2.duplicate(KEY)


def test_scenes_are_added_replaced_and_deleted(studio_v2, vendor):
    vendor.will(*[reply({"success": True})] * 3, reply({"success": True, "cube_used": 0, "key": "other"}))
    studio_v2.add_scene(KEY, 0, SCENE)
    studio_v2.update_scene(KEY, 1, SCENE)
    assert studio_v2.delete_scene(KEY, 2) == KEY
    assert studio_v2.delete_scene(KEY, 2) == "other"
    assert [(one.method, one.path, one.body) for one in vendor.seen[:3]] == [
        ("POST", f"{ROOT}/editor/scene/{KEY}", {"sceneIdx": 0, "scene": SCENE}),
        ("PUT", f"{ROOT}/editor/scene/{KEY}", {"sceneIdx": 1, "scene": SCENE}),
        ("DELETE", f"{ROOT}/editor/scene/{KEY}", {"sceneIdx": 2}),
    ]


def test_a_scene_that_the_vendor_refuses_or_does_not_answer_for(studio_v2, vendor):
    vendor.will(reply({"success": False, "msg": "no scene 9"}), hang_up)
    with pytest.raises(PayloadRefused, match="no scene 9"):
        studio_v2.update_scene(KEY, 9, SCENE)
    with pytest.raises(OutcomeUnknown):
        studio_v2.delete_scene(KEY, 0)


@pytest.mark.contradiction(33)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"success": True, "key": KEY}, SimpleFound(KEY)),
        ({"success": True, "data": {"key": KEY, "url": "u"}, "videoUrl": "t"}, SimpleFound(KEY, "u")),
        ({"success": True, "videoUrl": "t"}, SimpleFound(KEY, "t")),
    ],
)
def test_a_single_call_render_is_found_again(studio_v2, vendor, answer, expected):
    vendor.will(reply(answer), hang_up)
    assert studio_v2.find_simple(KEY) == expected
    assert (vendor.seen[0].method, vendor.seen[0].path, vendor.seen[0].body) == (
        "POST",
        f"{ROOT}/simple/find/{KEY}",
        {},
    )
    with pytest.raises(VendorUnavailable):
        studio_v2.find_simple(KEY)
