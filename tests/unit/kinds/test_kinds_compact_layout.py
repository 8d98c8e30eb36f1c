"""The compact form: the vendor body made from it, and the place of each clip in the picture."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.requests import build
from renderline.kinds import KINDS
from renderline.kinds.clips import ANIMATIONS, SHAPES
from renderline.kinds.compact_scenes import POSITIONS, SIDES

AVATAR = {"model": "M000045058", "clothes": "BG00002320"}
CANVAS = {"landscape": (1920, 1080), "portrait": (1080, 1920)}


def laid_out(load: Any, orientation: str = "landscape", **scene: Any) -> dict[str, Any]:
    data = {"kind": "project", "orientation": orientation, "scenes": [{"script": "Hi.", "avatar": AVATAR, **scene}]}
    return build(load(data))["scenes"][0]


def box(clip: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return the left, top, right and bottom edge of a clip as drawn."""
    width, height = clip["width"] * clip.get("scaleX", 1), clip["height"] * clip.get("scaleY", 1)
    return clip["left"], clip["top"], clip["left"] + width, clip["top"] + height


def test_a_whole_body(load):
    data = {"kind": "project", "resolution": 720, "workspace_id": "w", "scenes": [
        {"script": "Hi.", "avatar": AVATAR},
        {"script": "Bye.", "avatar": {**AVATAR, "head_only": True}, "tts": {"voice": "v"}},
    ]}  # fmt: skip
    body = build(load(data), name="Given", webhook_url="https://our.test")
    first, second = body.pop("scenes")
    assert body == {
        "name": "Given",
        "orientation": "landscape",
        "resolution": "720",
        "workspaceId": "w",
        "webhookUrl": "https://our.test",
    }
    names = {"modelId": "M000045058", "clothId": "BG00002320"}
    assert first["scripts"] == [{"org": "Hi.", "isTTS": False, "tts": None, **names}]
    assert second["scripts"] == [{"org": "Bye.", "isTTS": True, "tts": {"voice": "v"}, **names}]
    assert [first["sceneIdx"], second["sceneIdx"]] == [0, 1]
    assert first["background"]["source_url"] == "/images/background/bg_blue_gradient.png"
    assert first["clips"][0]["model"] == {"ai_name": "M000045058", "emotion": "BG00002320", "language": "en"}
    assert "effects" not in first["clips"][0]
    assert second["clips"][0]["effects"] == [{"type": "head-only"}]


def test_the_avatar_stands_where_the_vendors_sample_has_it(load, example):
    sample = example("v3-create-project-1.6.json")["scenes"][0]["clips"][0]
    (avatar,) = laid_out(load)["clips"]
    for field in ("left", "top", "width", "height", "scaleX", "scaleY"):
        assert avatar[field] == pytest.approx(sample[field], abs=0.001), field


@pytest.mark.parametrize("orientation", CANVAS)
@pytest.mark.parametrize("scale", [0.2, 0.5, 1])
def test_an_avatar_stays_in_the_picture_and_on_its_side(load, orientation, scale):
    width, height = CANVAS[orientation]
    middles = []
    for position in SIDES:
        (avatar,) = laid_out(load, orientation, avatar={**AVATAR, "position": position, "scale": scale})["clips"]
        left, top, right, bottom = box(avatar)
        assert left >= 0
        assert right <= width + 0.01
        assert top >= 0.13 * height
        assert bottom >= height - 0.01, "an avatar does not float"
        middles.append((left + right) / 2)
    assert middles == sorted(middles)
    assert middles[1] == pytest.approx(width / 2, rel=0.03)


def test_a_huge_avatar_is_centred_on_its_side(load):
    (avatar,) = laid_out(load, avatar={**AVATAR, "scale": 5})["clips"]
    left, _, right, _ = box(avatar)
    assert left < 0
    assert right > 1920


@pytest.mark.parametrize("orientation", CANVAS)
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(
    "clip",
    [
        {"type": "text", "text": "Hello\nworld"},
        {"type": "image", "source_url": "/a.png", "width": 2333, "height": 3500},
        {"type": "video", "video_url": "/a.mp4"},
        {"type": "shape", "shapeName": "Star", "fill": "#fff"},
    ],
    ids=lambda clip: clip["type"],
)
def test_a_clip_stands_where_its_position_says(load, orientation, position, clip):
    width, height = CANVAS[orientation]
    placed = laid_out(load, orientation, clips=[{**clip, "position": position}])["clips"][1]
    left, top, right, bottom = box(placed)
    margin = 54 - 0.01
    assert margin <= left
    assert margin <= top
    assert right <= width - margin
    assert bottom <= height - margin
    for side, distance in (("left", left), ("right", width - right)):
        assert position.endswith(side) == (distance == pytest.approx(54, abs=0.01)), side
    for side, distance in (("top", top), ("bottom", height - bottom)):
        assert position.startswith(side) == (distance == pytest.approx(54, abs=0.01)), side


@pytest.mark.parametrize(
    ("orientation", "side", "position"),
    [
        *(("landscape", "left", "right"), ("landscape", "center", "right"), ("landscape", "right", "left")),
        ("portrait", "center", "top"),
    ],
)
def test_a_picture_keeps_away_from_the_avatar(load, orientation, side, position):
    image = {"type": "image", "source_url": "/a.png"}
    scene = {"avatar": {**AVATAR, "position": side}}
    assert (
        laid_out(load, orientation, clips=[image], **scene)["clips"][1]
        == (laid_out(load, orientation, clips=[{**image, "position": position}], **scene)["clips"][1])
    )


def test_what_a_clip_says_of_its_place_is_kept(load):
    place = {"left": -4.5, "top": 0, "width": 10, "height": 20, "layer": 7}
    image = {"type": "image", "source_url": "/a.png", "scale": 2, "tag": "logo", "opacity": 5, **place}
    placed = laid_out(load, clips=[image])["clips"][1]
    assert placed.pop("id") == "image-0-2"
    assert placed == {
        **place, "type": "image", "source_url": "/a.png", "scaleX": 2, "scaleY": 2, "tag": "logo", "opacity": 5
    }  # fmt: skip


def test_a_text_box_grows_with_its_text(load):
    def size(text: str, **fields: Any) -> tuple[float, float]:
        clip = laid_out(load, clips=[{"type": "text", "text": text, **fields}])["clips"][1]
        return clip["width"], clip["height"]

    one = size("Hello")
    assert size("Hello\nthere you")[1] == pytest.approx(2 * one[1], abs=0.02)
    assert size("Hello, hello")[0] > one[0]
    assert size("\u4f60\u597d\u4f60\u597d\u4f60")[0] > one[0], "East Asian letters are wider"
    assert size("Hello", fontSize=96)[1] == pytest.approx(2 * one[1], abs=0.02)
    long = size("word " * 60)
    assert long[0] == 0.8 * 1920
    assert long[1] > 2 * one[1]
    assert size("word " * 60, width=300)[1] > long[1]


def test_backgrounds(load):
    plain = laid_out(load, background={"image": "https://example.com/b.png"})
    assert plain["background"]["source_url"] == "https://example.com/b.png"
    assert [clip["type"] for clip in plain["clips"]] == ["aiModel"]
    for background, kind, field in (
        ({"color": "#123456"}, "shape", "fill"),
        ({"video": "/b.mp4", "volume": 5}, "videoImage", "video_url"),
    ):
        scene = laid_out(load, "portrait", background=background, clips=[{"type": "text", "text": "x"}])
        assert [clip["type"] for clip in scene["clips"]] == [kind, "aiModel", "textImage"]
        assert [clip["layer"] for clip in scene["clips"]] == [1, 2, 3]
        assert box(scene["clips"][0]) == (0, 0, 1080, 1920)
        assert scene["clips"][0][field] in background.values()
        assert scene["clips"][0].get("volume") == background.get("volume")


def test_a_sound_is_named_after_its_file(load):
    sound = {"type": "audio", "source_url": "https://example.com/a/jingle.mp3?x=1"}
    placed = laid_out(load, clips=[sound, {**sound, "label": "Jingle"}])["clips"]
    assert [clip["label"] for clip in placed[1:]] == ["jingle.mp3", "Jingle"]


@pytest.mark.parametrize(
    ("scene", "path", "message"),
    [
        ({"script": None}, "script", "is required"),
        ({"script": " \n"}, "script", "may not be empty"),
        ({"avatar": None}, "avatar", "is required"),
        ({"avatar": {"model": "M1"}}, "avatar.clothes", "is required"),
        ({"avatar": {**AVATAR, "position": "top"}}, "avatar.position", "must be one of left, center, right, not 'top'"),
        ({"avatar": {**AVATAR, "scale": 6}}, "avatar.scale", "must be between 0.1 and 5"),
        ({"avatar": {**AVATAR, "sclae": 1}}, "avatar.sclae", "unknown field; did you mean 'scale'?"),
        ({"background": {}}, "background", "must have exactly one of image, color, video"),
        ({"background": {"image": "/a", "color": "b"}}, "background", "must have exactly one of image, color, video"),
        ({"background": "blue"}, "background", "must be an object"),
        ({"tts": "v"}, "tts", "must be an object"),
        ({"clip": []}, "clip", "unknown field; did you mean 'clips'?"),
        (
            {"clips": [{"type": "aiModel"}]},
            "clips.0.type",
            "must be one of text, textImage, image, video, videoImage, sh",
        ),
        ({"clips": [{"text": "x"}]}, "clips.0.type", "is required"),
        ({"clips": [{"type": "text"}]}, "clips.0.text", "is required"),
        (
            {"clips": [{"type": "text", "text": "x", "opactiy": 1}]},
            "clips.0.opactiy",
            "unknown field; did you mean 'op",
        ),
        (
            {"clips": [{"type": "image", "source_url": "/a", "opacity": 0}]},
            "clips.0.opacity",
            "must be between 1 and 100",
        ),
        (
            {"clips": [{"type": "image", "source_url": "/a", "position": 5}]},
            "clips.0.position",
            "must be one of top-left",
        ),
        (
            {"clips": [{"type": "image", "source_url": "/a", "scale": 0}]},
            "clips.0.scale",
            "must be between 0.01 and 100",
        ),
        ({"clips": [{"type": "audio", "source_url": "/a", "left": 0}]}, "clips.0.left", "unknown field"),
        ({"clips": [{"type": "image", "source_url": "/a"}] * 101}, "clips", "must have at most 100 entries"),
    ],
)
def test_a_wrong_field_is_named(errors, scene, path, message):
    found = errors({"kind": "project", "scenes": [{"script": "Hi.", "avatar": AVATAR, **scene}]})
    assert list(found) == [f"scenes.0.{path}"]
    assert found[f"scenes.0.{path}"][0].startswith(message)


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip)
percent = st.integers(1, 100)
pixels = st.integers(-4000, 4000) | st.floats(-4000, 4000)
lengths = st.integers(1, 8000) | st.floats(1, 8000)
drawn = {
    "opacity": percent,
    "angle": st.floats(-360, 360),
    "animation": st.fixed_dictionaries(
        {"type": st.sampled_from(ANIMATIONS), "duration": st.integers(1, 30), "delay": st.integers(0, 30)}
    ),
}
common = {"layer": st.integers(-5, 50), "tag": st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)}
place = {
    "position": st.sampled_from(POSITIONS),
    "scale": st.floats(0.01, 100),
    **{"left": pixels, "top": pixels, "width": lengths, "height": lengths},
}
clips = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "textImage"]), "text": words},
        optional={**common, **place, **drawn, "fontSize": st.floats(1, 1000), "fill": words},
    ),
    st.fixed_dictionaries(
        {"type": st.just("image"), "source_url": words}, optional={**common, **place, **drawn}
    ),
    st.fixed_dictionaries(
        {"type": st.just("shape"), "shapeName": st.sampled_from(SHAPES), "fill": words},
        optional={**common, **place, **drawn},
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["video", "videoImage"]), "video_url": words},
        optional={**common, **place, "volume": percent, "opacity": percent},
    ),
    st.fixed_dictionaries(
        {"type": st.just("audio"), "source_url": words}, optional={**common, "volume": percent, "label": words}
    ),
)  # fmt: skip
scenes = st.fixed_dictionaries(
    {
        "script": words,
        "avatar": st.fixed_dictionaries(
            {"model": words, "clothes": words},
            optional={
                "position": st.sampled_from(SIDES), "scale": st.floats(0.1, 5), "head_only": st.booleans(),
                "language": words,
            },
        ),
    },
    optional={
        "tts": st.dictionaries(words, st.integers(0, 9), max_size=2),
        "background": st.one_of(
            st.fixed_dictionaries({"image": words}),
            st.fixed_dictionaries({"color": words}),
            st.fixed_dictionaries({"video": words}, optional={"volume": percent}),
        ),
        "clips": st.lists(clips, max_size=4),
    },
)  # fmt: skip


@given(orientation=st.sampled_from(list(CANVAS)), given_scenes=st.lists(scenes, min_size=1, max_size=3))
def test_whatever_is_laid_out_passes_the_vendors_schema(load, orientation, given_scenes):
    loaded = load({"kind": "project", "orientation": orientation, "scenes": given_scenes})
    body = build(loaded, webhook_url="https://our.test")
    assert KINDS["project"].schema.validate(body) == {}
    assert load({"kind": "project", "payload": body}).body["payload"]["resolution"] == "1080"
