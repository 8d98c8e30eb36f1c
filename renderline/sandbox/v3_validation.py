"""Strict validation of v3 request bodies (AI Studios v3 contract, create project, scenes, edit, simple video)."""

from typing import Any

from renderline.sandbox.clip_validation import CLIPS, check_clip
from renderline.sandbox.responses import BAD_BODY, Refusal
from renderline.sandbox.validation import (
    Table,
    array,
    boolean,
    either,
    filled,
    full_array,
    integer,
    obj,
    one_of,
    text,
    walk,
    web_address,
)

SHOWN_PROBLEMS = 10

RENDERING: Table = {
    "workspaceId": (text, False),
    "resolution": (one_of(["4k", "1080", "720", "480"]), False),
    "webhookUrl": (web_address, False),
}
CREATE: Table = {
    "name": (text, False),
    "orientation": (one_of(["landscape", "portrait"]), False),
    "scenes": (full_array, True),
    "isExport": (boolean, False),
    "dictionary": (obj, False),
    **RENDERING,
}
SCENE: Table = {
    "sceneIdx": (integer, True),
    "scripts": (array, False),
    "background": (obj, True),
    "clips": (array, True),
    "watermark": (boolean, False),
    "thumbnailUrl": (text, False),
}
SCRIPT: Table = {
    "org": (text, True),
    "isTTS": (boolean, True),
    "tts": (obj, False),
    "modelId": (filled, True),
    "clothId": (filled, True),
}
EDIT: Table = {
    "updates": (either(obj, array, "must be an object or an array"), True),
    "isExport": (boolean, False),
    **RENDERING,
}
UPDATE: Table = {
    "sceneIdx": (integer, True),
    "type": (one_of([*CLIPS, "background"]), True),
    "values": (obj, True),
}
EXPORT: Table = {"projectId": (filled, True), **RENDERING}
SIMPLE_CUSTOM: Table = {
    "language": (filled, True),
    "text": (filled, True),
    "model": (filled, True),
    "isExport": (boolean, False),
    **RENDERING,
}
SIMPLE_VIDEO: Table = {**SIMPLE_CUSTOM, "clothes": (filled, True)}
TOKEN: Table = {"appId": (filled, True), "userKey": (filled, True)}
DELETE: Table = {"ids": (array, True)}
TEMPLATE: Table = {
    "name": (text, False),
    "aiName": (text, False),
    "clothId": (text, False),
    "workspaceId": (text, False),
}


def refuse(problems: list[str]) -> None:
    """Raise Refusal (400) naming the problems, if there are any."""
    if problems:
        more = f"; and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise Refusal(BAD_BODY, "; ".join(problems[:SHOWN_PROBLEMS]) + more)


def check(body: Any, table: Table) -> None:
    """Check a flat body; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, table, "", problems)
    refuse(problems)


def check_create(body: dict[str, Any], *, lenient: bool) -> None:
    """Check a create-project body with all its scenes; raises Refusal (400). Lenient: scenes are objects, no more."""
    problems: list[str] = []
    walk(body, CREATE, "", problems)
    scenes = body.get("scenes")
    for index, scene in enumerate(scenes if isinstance(scenes, list) else ()):
        if not lenient:
            _check_scene(scene, f"scenes.{index}", problems)
        elif not isinstance(scene, dict):
            problems.append(f"scenes.{index}: must be an object")
    refuse(problems)


def check_edit(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Check an edit body in either form of `updates`; returns the updates; raises Refusal (400)."""
    problems: list[str] = []
    walk(body, EDIT, "", problems)
    updates, path = body.get("updates"), "updates"
    if isinstance(updates, dict):
        updates, path = updates.get("value"), "updates.value"
    if not isinstance(updates, list):
        refuse([*problems, "updates.value: must be an array"])
        return []
    for index, update in enumerate(updates):
        walk(update, UPDATE, f"{path}.{index}", problems)
    refuse(problems)
    return updates


def _check_scene(scene: Any, path: str, problems: list[str]) -> None:
    if not walk(scene, SCENE, path, problems):
        return
    scripts, clips = scene.get("scripts"), scene.get("clips")
    scripts = scripts if isinstance(scripts, list) else []
    clips = clips if isinstance(clips, list) else []
    seen: set[str] = set()
    for index, clip in enumerate(clips):
        check_clip(clip, f"{path}.clips.{index}", problems)
        clip_id = clip.get("id") if isinstance(clip, dict) else None
        if isinstance(clip_id, str):
            if clip_id in seen:
                problems.append(f"{path}.clips.{index}.id: must be unique inside its scene")
            seen.add(clip_id)
    for index, script in enumerate(scripts):
        if walk(script, SCRIPT, f"{path}.scripts.{index}", problems):
            _check_speech(script, f"{path}.scripts.{index}", problems)
    _check_speakers(scripts, clips, path, problems)


def _check_speech(script: dict[str, Any], path: str, problems: list[str]) -> None:
    if "tts" not in script:
        problems.append(f"{path}.tts: is required (null when isTTS is false)")
    elif script.get("isTTS") is True and script["tts"] is None:
        problems.append(f"{path}.tts: must be an object when isTTS is true")
    elif script.get("isTTS") is False and script["tts"] is not None:
        problems.append(f"{path}.tts: must be null when isTTS is false")


def _check_speakers(scripts: list[Any], clips: list[Any], path: str, problems: list[str]) -> None:
    """Every script needs an avatar of the scene, and a scene with a visible avatar needs words.

    A scene read back from the editor may be a dialogue: several scripts, one or more for each of its avatars, and an
    avatar that only listens.
    """
    avatars = [
        (index, clip, clip["model"])
        for index, clip in enumerate(clips)
        if isinstance(clip, dict) and clip.get("type") == "aiModel" and isinstance(clip.get("model"), dict)
    ]
    looks = {(str(model.get("ai_name")), str(model.get("emotion"))) for _, _, model in avatars}
    spoken = False
    for index, script in enumerate(scripts):
        if not isinstance(script, dict):
            continue
        look = (str(script.get("modelId")), str(script.get("clothId")))
        if look not in looks:
            problems.append(f"{path}.scripts.{index}.modelId: no avatar clip of the scene has this model and clothes")
        elif isinstance(script.get("org"), str) and script["org"].strip():
            spoken = True
    for _, clip, _ in avatars:
        own = clip.get("script")
        words = own.get("org") if isinstance(own, dict) else None
        spoken = spoken or (isinstance(words, str) and bool(words.strip()))
    visible = [index for index, clip, _ in avatars if not clip.get("isDelete")]
    if visible and not spoken:
        problems.append(f"{path}.clips.{visible[0]}: the avatar has no script, neither in scripts[] nor in the clip")
