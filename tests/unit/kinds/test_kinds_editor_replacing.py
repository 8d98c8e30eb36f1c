"""What `replace` does to a project that was read back, and what is said about an entry that does not fit."""

import copy
from typing import Any

import pytest

from harness.editor_project import ANNA, BEN, IMAGE, avatar, line, picture, read_back, text
from renderline.kinds.editor import avatars, carried
from renderline.kinds.editor.carried import carried_name
from renderline.kinds.editor.replacing import replaced

CARA = {"model": "M000099999", "clothes": "BG00009999"}
NEW = "https://cdn.example.com/new.png"


def scenes(project: dict[str, Any], *replace: dict[str, Any]) -> list[Any]:
    found, problems = replaced(project, replace)
    assert problems == {}
    return found


def changes(before: Any, after: Any, path: str = "") -> dict[str, Any]:
    """Return every value that differs, by path; `None` for one that is gone."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs: Any = [(name, before.get(name), after.get(name)) for name in {**before, **after}]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = [(at, *both) for at, both in enumerate(zip(before, after, strict=True))]
    else:
        return {} if before == after else {path: after}
    found: dict[str, Any] = {}
    for name, old, new in pairs:
        found |= changes(old, new, f"{path}.{name}" if path else str(name))
    return found


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        ({"tag": "parrot-text", "text": "A cockatoo"}, {"0.clips.2.text": "A cockatoo"}),
        ({"scene": 0, "text": ""}, {"0.clips.2.text": ""}),
        ({"scene": 0.0, "clip": None, "tag": None, "text": "x"}, {"0.clips.2.text": "x"}),
        ({"scene": 1, "clip": 3, "text": "Answers"}, {"1.clips.3.text": "Answers"}),
        # The tutorial's code says resource_url, its table and all samples source_url.
        ({"tag": "parrot-image", "image": NEW}, {"0.clips.1.source_url": NEW}),
        ({"scene": 1, "image": NEW}, {"1.clips.2.source_url": NEW}),
        (
            {"tag": "parrot-image", "image": NEW, "set": {"left": 15, "width": 15, "scaleX": 1.5}},
            {"0.clips.1.source_url": NEW, "0.clips.1.left": 15, "0.clips.1.width": 15, "0.clips.1.scaleX": 1.5},
        ),
        ({"tag": "parrot-text", "set": {"fontSize": 7.5}}, {"0.clips.2.fontSize": 7.5}),
        ({"scene": 0, "script": "This is a cockatoo."}, {"0.scripts.0.org": "This is a cockatoo."}),
        ({"scene": 1, "script_index": 1, "script": "Fruit."}, {"1.scripts.1.org": "Fruit."}),
        ({"tag": "guest", "script": "Nuts."}, {"1.scripts.1.org": "Nuts."}),
        ({"scene": 0, "background": {"image": NEW}}, {"0.background.source_url": NEW}),
    ],
)
def test_an_entry_changes_what_it_names_and_nothing_else(entry, changed):
    project = read_back()
    before = copy.deepcopy(project)
    assert changes(before["scenes"], scenes(project, entry)) == changed
    assert project == before


def test_a_tag_means_every_clip_that_has_it_and_a_scene_narrows_it():
    project = read_back()
    project["scenes"][1]["clips"][3]["tag"] = "parrot-text"
    project["scenes"][1]["clips"][2]["tag"] = "parrot-text"
    both = changes(project["scenes"], scenes(project, {"tag": "parrot-text", "text": "x"}))
    assert both == {"0.clips.2.text": "x", "1.clips.3.text": "x"}
    one = changes(project["scenes"], scenes(project, {"tag": "parrot-text", "scene": 1, "text": "x"}))
    assert one == {"1.clips.3.text": "x"}


def test_entries_apply_in_their_order():
    found = scenes(read_back(), {"tag": "parrot-text", "text": "1"}, {"scene": 0, "clip": 2, "text": "2"})
    assert found[0]["clips"][2]["text"] == "2"


def test_a_video_loses_the_picture_of_the_old_one():
    clip = {"id": "v", "type": "videoImage", "video_url": "https://a.example.com/1.mp4", "source_url": IMAGE, "odd": 1}
    found = scenes({"scenes": [{"clips": [clip]}]}, {"scene": 0, "video": "https://a.example.com/2.mp4"})
    assert found[0]["clips"] == [
        {"id": "v", "type": "videoImage", "video_url": "https://a.example.com/2.mp4", "odd": 1}
    ]


def test_a_sound_is_replaced():
    clip = {"id": "a", "type": "audio", "source_url": "https://a.example.com/1.mp3", "label": "1.mp3"}
    found = scenes({"scenes": [{"clips": [clip]}]}, {"scene": 0, "audio": NEW})
    assert found[0]["clips"] == [{**clip, "source_url": NEW}]


@pytest.mark.parametrize(
    ("entry", "scene", "clip", "lines"),
    [
        ({"scene": 0, "avatar": CARA}, 0, 0, [0]),
        ({"tag": "guest", "avatar": CARA}, 1, 1, [1]),
        ({"scene": 1, "clip": 0, "avatar": CARA}, 1, 0, [0, 2]),
    ],
)
def test_another_avatar_speaks_the_lines_of_the_old_one(entry, scene, clip, lines):
    project = read_back()
    before = project["scenes"][scene]
    after = scenes(project, entry)[scene]
    assert after["clips"][clip]["model"] == {"ai_name": CARA["model"], "emotion": CARA["clothes"], "language": "en"}
    assert changes({**before["clips"][clip], "model": 0}, {**after["clips"][clip], "model": 0}) == {}
    for at, (old, new) in enumerate(zip(before["scripts"], after["scripts"], strict=True)):
        taken = {"modelId": CARA["model"], "clothId": CARA["clothes"]} if at in lines else {}
        assert new == {**old, **taken}


def test_an_avatars_unknown_fields_are_kept_and_the_language_may_change():
    project = read_back()
    project["scenes"][0]["clips"][0]["model"]["odd"] = 1
    after = scenes(project, {"scene": 0, "avatar": {**CARA, "language": "ko"}})
    model = after[0]["clips"][0]["model"]
    assert model == {"ai_name": CARA["model"], "emotion": CARA["clothes"], "language": "ko", "odd": 1}


def test_both_avatars_of_a_dialogue_can_change_places():
    after = scenes(
        read_back(), {"scene": 1, "clip": 0, "avatar": CARA}, {"scene": 1, "clip": 1, "avatar": ANNA}
    )  # fmt: skip
    assert [script["modelId"] for script in after[1]["scripts"]] == [CARA["model"], ANNA["model"], CARA["model"]]


def test_avatars_that_look_the_same_are_replaced_together_or_not_at_all():
    twins = [avatar(ANNA, "a", tag="both"), avatar(ANNA, "b", tag="both")]
    project = {"scenes": [{"clips": twins, "scripts": [line(ANNA, "Hi.")]}]}
    assert scenes(project, {"tag": "both", "avatar": CARA})[0]["scripts"][0]["modelId"] == CARA["model"]
    _, problems = replaced(project, [{"scene": 0, "clip": 0, "avatar": CARA}])
    assert problems == {"replace.0.avatar": "cannot tell whose line 0 is, because these look the same: clip 0, clip 1"}


def test_the_older_form_has_its_words_in_the_avatar():
    own = {**avatar(ANNA, "a"), "script": {"org": "Old.", "tts": None}}
    found = scenes({"scenes": [{"clips": [own]}]}, {"scene": 0, "script": "New."})
    assert found[0]["clips"][0]["script"] == {"org": "New.", "tts": None}
    assert "scripts" not in found[0]


def test_an_avatars_copy_of_its_line_is_replaced_too():
    own = {**avatar(ANNA, "a"), "script": {"org": "<p>Old.</p>", "tts": None}}
    found = scenes({"scenes": [{"clips": [own], "scripts": [line(ANNA, "Old.")]}]}, {"scene": 0, "script": "New."})
    assert found[0]["clips"][0]["script"]["org"] == found[0]["scripts"][0]["org"] == "New."


def test_a_colour_or_a_video_behind_a_scene_is_a_clip_below_all_others():
    project = {"orientation": "portrait", "scenes": [{"clips": [picture("i", layer=3), text("t", "x", layer=2)]}]}
    colour = {"scene": 0, "background": {"color": "#101010"}}
    cover = scenes(project, colour)[0]["clips"][-1]
    assert (cover["type"], cover["fill"], cover["layer"]) == ("shape", "#101010", 1)
    assert (cover["left"], cover["top"], cover["width"], cover["height"]) == (0, 0, 1080, 1920)
    video = {"scene": 0, "background": {"video": "https://a.example.com/1.mp4", "volume": 10}}
    clips = scenes(project, colour, video)[0]["clips"]
    assert [clip["type"] for clip in clips] == ["image", "textImage", "videoImage"]
    assert (clips[-1]["layer"], clips[-1]["volume"]) == (1, 10)


def test_no_layer_is_below_zero():
    project = {"scenes": [{"clips": [picture("i", layer=0), text("t", "x", layer=4)]}]}
    clips = scenes(project, {"scene": 0, "background": {"color": "red"}})[0]["clips"]
    assert [clip["layer"] for clip in clips] == [1, 5, 0]


TAGS = (
    "'parrot-image' (scene 0 clip 1, image), 'parrot-text' (scene 0 clip 2, textImage), "
    "'guest' (scene 1 clip 1, aiModel)"
)
CLIPS = "0 aiModel, 1 image 'parrot-image', 2 textImage 'parrot-text'"


@pytest.mark.parametrize(
    ("entry", "field", "message"),
    [
        ({"tag": "parot", "text": "x"}, "tag", f"no clip of the project has the tag 'parot'; the tags are: {TAGS}"),
        (
            {"tag": "guest", "scene": 0, "avatar": CARA},
            "tag",
            f"scene 0 has no clip with the tag 'guest'; the tags are: {TAGS}",
        ),
        (
            {"tag": "parrot-image", "text": "x"},
            "tag",
            "the tag 'parrot-image' is on clips of type image, but text is for textImage",
        ),
        ({"scene": 2, "text": "x"}, "scene", "the project has no scene 2; it has the scenes 0, 1"),
        ({"scene": 0, "clip": 3, "text": "x"}, "clip", f"scene 0 has no clip 3; its clips are: {CLIPS}"),
        (
            {"scene": 0, "clip": 0, "text": "x"},
            "clip",
            "clip 0 of scene 0 has the type aiModel, but text is for textImage; "
            "such clips are: 2 textImage 'parrot-text'",
        ),
        ({"scene": 0, "video": NEW}, "video", f"scene 0 has no clip of type videoImage; its clips are: {CLIPS}"),
        (
            {"scene": 1, "avatar": CARA},
            "avatar",
            "scene 1 has several such clips: add clip or tag to say which; they are: 0 aiModel, 1 aiModel 'guest'",
        ),
        (
            {"scene": 1, "script": "x"},
            "script",
            "the scene has several lines: add script_index to say which; the lines of the scene are: 0, 1, 2",
        ),
        (
            {"scene": 0, "script_index": 1, "script": "x"},
            "script_index",
            "the scene has no line 1; the lines of the scene are: 0",
        ),
        (
            {"tag": "guest", "script_index": 0, "script": "x"},
            "script_index",
            "the tagged avatar has no line 0; the lines of the scene are: 0, 1, 2",
        ),
    ],
)
def test_an_entry_that_does_not_fit_says_what_the_project_has(entry, field, message):
    _, problems = replaced(read_back(), [{"scene": 0, "script": "fits"}, entry])
    assert problems == {f"replace.1.{field}": message}


def test_every_entry_that_does_not_fit_is_named():
    _, problems = replaced(read_back(), [{"tag": "a", "text": ""}, {"scene": 0, "text": ""}, {"scene": 9, "text": ""}])
    assert list(problems) == ["replace.0.tag", "replace.2.scene"]


def test_a_huge_project_and_many_entries_are_bounded():
    project = {"scenes": [{"clips": [text("t", "x", tag="all")]}] * 2000}
    _, wrong = replaced(project, [{"scene": 1, "clip": 7, "text": ""}] * 1000)
    assert list(wrong) == [f"replace.{at}.clip" for at in range(10)]
    _, many = replaced(project, [{"tag": "all", "text": "new"}] * 1000)
    assert many == {"replace": "changes more than 100000 clips in all"}
    _, tags = replaced(project, [{"tag": "none", "text": ""}])
    assert tags["replace.0.tag"].endswith("(scene 19 clip 0, textImage) and 1980 more")


@pytest.mark.parametrize("project", [{}, {"scenes": None}, {"scenes": []}, {"scenes": ["x"]}])
def test_a_project_without_scenes_cannot_be_rendered(project):
    assert list(replaced(project, [])[1]) == ["project_id"]


def test_a_create_takes_over_all_but_what_the_vendor_keeps_of_the_old_project():
    project = read_back(odd={"kept": 1}, __v=3, isExport=True, webhookUrl="https://theirs.example.com", dictionary=None)
    taken = carried.carried(project)
    assert set(taken) == {"name", "orientation", "scenes", "odd"}
    assert taken["scenes"] is project["scenes"]
    assert carried.carried(read_back())["dictionary"] == {"AI": "ay eye"}


@pytest.mark.parametrize("reasons", [carried.LEFT_OUT, avatars.LEFT_OUT])
def test_what_is_left_out_has_a_reason(reasons):
    assert all(len(reason) > 5 for reason in reasons.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Parrots", "Parrots"),
        ("Parrots [v2]", "Parrots [v2]"),
        (f"Parrots [{'0' * 32}]", "Parrots"),
        (f"Parrots [{'0' * 32}.2.3] [{'a' * 32}]", "Parrots"),
        ("Two\nlines\x00", "Two lines"),
        ("x" * 300, "x" * 200),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_the_name_is_taken_over_without_our_tags(name, expected):
    assert carried_name({"name": name}) == expected


def test_the_second_avatar_keeps_its_look():
    after = scenes(read_back(), {"scene": 1, "clip": 0, "avatar": CARA})
    assert after[1]["clips"][1]["model"]["ai_name"] == BEN["model"]
    assert "deployImage" in after[1]["clips"][1]["model"]
