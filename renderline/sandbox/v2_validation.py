"""Validation of v2 request bodies (AI Studios v2 contract): as lenient as the vendor's own samples."""

from typing import Any

from renderline.sandbox.v3_validation import refuse
from renderline.sandbox.validation import (
    Table,
    array,
    filled,
    full_array,
    integer,
    number,
    obj,
    one_of,
    text,
    walk,
    web_address,
)

CREATE: Table = {"scenes": (full_array, True), "name": (text, False), "projectName": (text, False)}
SCENE: Table = {"AIModel": (obj, False), "clips": (array, False)}
MODEL: Table = {
    "model": (filled, True),
    "clothes": (filled, True),
    "language": (text, False),
    "script": (filled, True),
    "scale": (number, False),
    "layer": (integer, False),
    "locationX": (number, True),
    "locationY": (number, True),
}
CLIP: Table = {"type": (one_of(["image", "background", "text", "userVideo"]), True), "detail": (obj, True)}
DETAIL: Table = {
    "url": (text, False),
    "scale": (number, False),
    "locationX": (number, False),
    "locationY": (number, False),
    "layer": (integer, False),
    "textSource": (text, False),
    "font": (text, False),
}
NEEDS_URL = ("image", "background", "userVideo")

EDIT: Table = {"updates": (full_array, True)}
UPDATE: Table = {
    "sceneIdx": (integer, True),
    "property": (one_of(["AIModel", "clips"]), True),
    "values": (obj, True),
    "clipType": (text, False),
    "clipIdx": (integer, False),
}
SCENE_AT: Table = {"sceneIdx": (integer, True)}
SCENE_CALL: Table = {**SCENE_AT, "scene": (obj, True)}
SIMPLE_AUDIO: Table = {
    "language": (filled, True),
    "text": (filled, True),
    "model": (filled, True),
    "clothes": (text, False),
    "locale": (text, False),
    "webhook": (web_address, False),
}
SIMPLE_VIDEO: Table = {**SIMPLE_AUDIO, "clothes": (filled, True), "uppercut": (number, False)}


def check_create(body: dict[str, Any]) -> None:
    """Check a v2 create body; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, CREATE, "", problems)
    scenes = body.get("scenes")
    for index, scene in enumerate(scenes if isinstance(scenes, list) else ()):
        check_scene(scene, f"scenes.{index}", problems)
    refuse(problems)


def check_edit(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Check a v2 edit body; returns its updates; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, EDIT, "", problems)
    updates = body.get("updates")
    for index, update in enumerate(updates if isinstance(updates, list) else ()):
        walk(update, UPDATE, f"updates.{index}", problems)
    refuse(problems)
    return list(body["updates"])


def check_scene_call(body: dict[str, Any]) -> None:
    """Check the body of a call that adds or replaces a scene; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, SCENE_CALL, "", problems)
    if isinstance(body.get("scene"), dict):
        check_scene(body["scene"], "scene", problems)
    refuse(problems)


def check_scene(scene: Any, path: str, problems: list[str]) -> None:
    """Check one scene."""
    if not walk(scene, SCENE, path, problems):
        return
    if isinstance(scene.get("AIModel"), dict):
        walk(scene["AIModel"], MODEL, f"{path}.AIModel", problems)
    elif not scene.get("clips"):
        problems.append(f"{path}: needs AIModel or clips")
    clips = scene.get("clips")
    for index, clip in enumerate(clips if isinstance(clips, list) else ()):
        _check_clip(clip, f"{path}.clips.{index}", problems)


def _check_clip(clip: Any, path: str, problems: list[str]) -> None:
    if not walk(clip, CLIP, path, problems) or not isinstance(clip.get("detail"), dict):
        return
    walk(clip["detail"], DETAIL, f"{path}.detail", problems)
    if clip.get("type") in NEEDS_URL and not clip["detail"].get("url"):
        problems.append(f"{path}.detail.url: is required")
