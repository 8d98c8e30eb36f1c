"""Validation of v2 request bodies (AI Studios v2 contract, create project): as lenient as the vendor's own samples."""

from typing import Any

from renderline.sandbox.v3_validation import refuse
from renderline.sandbox.validation import Table, array, filled, full_array, integer, number, obj, one_of, text, walk

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
NEEDS_URL = frozenset({"image", "background", "userVideo"})


def check_create(body: dict[str, Any]) -> None:
    """Check a v2 create body; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, CREATE, "", problems)
    scenes = body.get("scenes")
    for index, scene in enumerate(scenes if isinstance(scenes, list) else ()):
        path = f"scenes.{index}"
        if not walk(scene, SCENE, path, problems):
            continue
        if isinstance(scene.get("AIModel"), dict):
            walk(scene["AIModel"], MODEL, f"{path}.AIModel", problems)
        elif not scene.get("clips"):
            problems.append(f"{path}: needs AIModel or clips")
        clips = scene.get("clips")
        for number_, clip in enumerate(clips if isinstance(clips, list) else ()):
            _check_clip(clip, f"{path}.clips.{number_}", problems)
    refuse(problems)


def _check_clip(clip: Any, path: str, problems: list[str]) -> None:
    if not walk(clip, CLIP, path, problems) or not isinstance(clip.get("detail"), dict):
        return
    walk(clip["detail"], DETAIL, f"{path}.detail", problems)
    if clip.get("type") in NEEDS_URL and not clip["detail"].get("url"):
        problems.append(f"{path}.detail.url: is required")
