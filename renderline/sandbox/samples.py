"""Projects that the editor made: every account has them, so that there is something to read, change and render.

The ids are the same for every account and at every start. Each account has its own copies.
"""

from typing import Any

from renderline.sandbox.catalogue import AVATARS, scene

MADE_AT = 1_767_225_600.0
"""When the editor made them: 2026-01-01."""

CDN = "https://cdn.aistudios.com/images/sample"
JONATHAN, RUBY = ((model, clothes[0][0]) for model, _, _, clothes in AVATARS[:2])

PARROTS = "5e0d1706a0b1c2d3e4f50001"
GREETING = "5e0d1706a0b1c2d3e4f50002"
STORY = "5e0d1706a0b1c2d3e4f50003"
UNFINISHED = "5e0d1706a0b1c2d3e4f50004"
V2_GREETING = "5e0d1706a0b1c2d3e4f50009"

Look = tuple[str, str]


def _image(name: str, *, tag: str) -> dict[str, Any]:
    place = {"layer": 3, "top": 180.5, "left": 1180, "height": 420, "width": 560, "scaleX": 1, "scaleY": 1}
    named = {"id": f"image-{tag}", "name": f"image-{tag}", "type": "image"}
    return {**named, **place, "source_url": f"{CDN}/{name}", "tag": tag}


def _text(words: str, *, tag: str, top: float = 820) -> dict[str, Any]:
    place = {"layer": 4, "top": top, "left": 240, "height": 90, "width": 1440, "scaleX": 1, "scaleY": 1}
    style = {"text": words, "fontSize": 48, "fontFamily": "Noto Sans CJK", "fill": "rgb(255,255,255)", "fontWeight": ""}
    return {"id": f"textImage-{tag}", "name": f"textImage-{tag}", "type": "textImage", **place, **style, "tag": tag}


def _scene(index: int, lines: list[tuple[Look, str]], clips: list[dict[str, Any]]) -> dict[str, Any]:
    """A scene as the editor leaves it: an avatar for each speaker, a script for each line."""
    made = scene(index, "", model=lines[0][0][0], clothes=lines[0][0][1])
    (avatar,) = made["clips"]
    speakers = list(dict.fromkeys(look for look, _ in lines))
    made["clips"] = [
        {
            **avatar,
            "id": f"aiModel-{index}{number}",
            "name": f"aiModel-{index}{number}",
            "left": 200.25 + 900 * number,
            "model": {"ai_name": model, "emotion": clothes, "language": "en"},
            "voiceOnly": False,
            "isDelete": False,
        }
        for number, (model, clothes) in enumerate(speakers)
    ] + clips
    made["scripts"] = [
        {"org": words, "isTTS": False, "tts": None, "modelId": model, "clothId": clothes}
        for (model, clothes), words in lines
    ]
    return made


def samples() -> dict[str, tuple[str, bool, dict[str, Any]]]:
    """Id to name, whether it was exported, and content."""
    dialogue = [
        (JONATHAN, "Do parrots understand what they say?"),
        (RUBY, "Some of them use words on purpose."),
        (JONATHAN, "Then I should mind mine."),
    ]
    parrots = [
        _scene(
            0,
            [(JONATHAN, "Parrots live for fifty years.")],
            [_image("parrot.png", tag="parrot-image"), _text("All about parrots", tag="parrot-text")],
        ),
        _scene(1, dialogue, [_image("two-parrots.png", tag="pair-image"), _text("A talk", tag="talk-text")]),
    ]
    greeting = [
        _scene(
            0,
            [(RUBY, "Hello, and welcome.")],
            [_image("logo.png", tag="logo"), _text("Welcome", tag="headline"), _text("Our team", tag="team", top=920)],
        ),
        _scene(1, [(RUBY, "We are glad that you are here.")], [_text("See you soon", tag="closing")]),
    ]
    story = [_scene(0, [(JONATHAN, "A short story.")], [_text("A short story", tag="title")])]
    return {
        PARROTS: ("Parrots", True, {"orientation": "landscape", "scenes": parrots}),
        GREETING: ("Greeting", True, {"orientation": "landscape", "scenes": greeting}),
        STORY: ("Story in portrait", True, {"orientation": "portrait", "scenes": story}),
        UNFINISHED: ("Not finished", False, {"orientation": "landscape", "scenes": story}),
    }


def v2_samples() -> dict[str, tuple[str, bool, dict[str, Any]]]:
    """The same for the accounts of the v2 API."""
    model, clothes = RUBY
    avatar = {"model": model, "clothes": clothes, "locationX": -0.28, "locationY": 0.19, "scale": 1}
    scenes = [{"AIModel": {"script": "Hello, and welcome.", **avatar}}]
    return {V2_GREETING: ("Greeting (v2)", True, {"projectName": "Greeting (v2)", "scenes": scenes})}
