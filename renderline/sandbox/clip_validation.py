"""The clip tables of a scene (AI Studios v3 contract, clips)."""

from typing import Any

from renderline.sandbox.validation import (
    Table,
    between,
    boolean,
    either,
    filled,
    integer,
    number,
    obj,
    one_of,
    text,
    walk,
)

SHAPES = [
    "Line_v2",
    "Arrow_1_v2",
    "Arrow_2_v2",
    "Circle",
    "Triangle",
    "Square",
    "Parallelogram",
    "Drop_1",
    "Polygon",
    "Pentagon",
    "Oval_1",
    "Oval_2",
    "Hexagon_1",
    "Hexagon_2",
    "Diamond",
    "Star",
    "Rectangle_corner0",
]
ANIMATIONS = [
    "fade-in",
    "fade-out",
    "in-right",
    "in-down",
    "in-left",
    "in-up",
    "out-right",
    "out-down",
    "out-left",
    "out-up",
    "zoom-in",
    "zoom-out",
]

PERCENT = between(integer, 1, 100)
WEIGHT = either(integer, text, "must be a whole number or a string")

GEOMETRY: Table = {
    "top": (number, True),
    "left": (number, True),
    "height": (number, True),
    "width": (number, True),
}
COMMON: Table = {
    "id": (filled, True),
    "layer": (integer, True),
    "scaleX": (number, False),
    "scaleY": (number, False),
    "tag": (text, False),
}
CLIPS: dict[str, Table] = {
    "aiModel": {"model": (obj, True)},
    "shape": {
        "shapeName": (one_of(SHAPES), True),
        "angle": (number, False),
        "opacity": (PERCENT, False),
        "fill": (text, True),
        "stroke": (text, False),
        "strokeWidth": (integer, False),
        "strokeRadius": (integer, False),
        "shadow": (obj, False),
        "animation": (obj, False),
    },
    "image": {
        "source_url": (filled, True),
        "angle": (number, False),
        "opacity": (PERCENT, False),
        "animation": (obj, False),
    },
    "textImage": {
        "fill": (text, True),
        "text": (text, True),
        "fontSize": (number, True),
        "fontFamily": (text, False),
        "align": (text, False),
        "angle": (number, False),
        "opacity": (PERCENT, False),
        "backgroundColor": (text, False),
        "stroke": (text, False),
        "strokeWidth": (integer, False),
        "fontWeight": (WEIGHT, False),
        "fontStyle": (text, False),
        "underline": (boolean, False),
        "shadow": (obj, False),
        "animation": (obj, False),
    },
    "videoImage": {"video_url": (filled, True), "volume": (PERCENT, False), "opacity": (PERCENT, False)},
    "audio": {"source_url": (filled, True), "volume": (PERCENT, False), "label": (text, True)},
}
MODEL: Table = {"ai_name": (filled, True), "emotion": (filled, True)}
SCRIPT: Table = {"org": (text, True), "tts": (obj, False)}
SHADOW: Table = {
    "color": (text, False),
    "blur": (between(number, 0, 10), False),
    "offsetX": (between(number, 0.1, 10), False),
    "offsetY": (between(number, 0.1, 10), False),
    "enabled": (boolean, False),
}
ANIMATION: Table = {
    "type": (one_of(ANIMATIONS), True),
    "duration": (between(integer, 1, 30), True),
    "delay": (between(integer, 0, 30), True),
}
TYPE: Table = {"type": (one_of(CLIPS), True)}


def check_clip(clip: Any, path: str, problems: list[str]) -> None:
    """Check one clip. `audio` needs no geometry: the contract has no sample of it."""
    if not walk(clip, TYPE, path, problems):
        return
    kind = clip.get("type")
    if not isinstance(kind, str) or kind not in CLIPS:
        return
    walk(clip, COMMON, path, problems)
    if kind != "audio":
        walk(clip, GEOMETRY, path, problems)
    walk(clip, CLIPS[kind], path, problems)
    check_parts(clip, kind, path, problems)


def check_parts(clip: dict[str, Any], kind: str, path: str, problems: list[str]) -> None:
    """Check the objects inside a clip: model and script of an avatar, shadow and animation of the others."""
    if kind == "aiModel":
        if isinstance(clip.get("model"), dict):
            walk(clip["model"], MODEL, f"{path}.model", problems)
        if clip.get("script") is not None:
            walk(clip["script"], SCRIPT, f"{path}.script", problems)
        return
    for name, table in (("shadow", SHADOW), ("animation", ANIMATION)):
        if name in CLIPS[kind] and isinstance(clip.get(name), dict):
            walk(clip[name], table, f"{path}.{name}", problems)
