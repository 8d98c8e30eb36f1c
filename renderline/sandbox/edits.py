"""Edits applied to stored scenes (AI Studios v3 contract, edit and export)."""

from typing import Any

from renderline.sandbox.responses import BAD_BODY, Refusal


def apply_updates(scenes: list[dict[str, Any]], updates: list[dict[str, Any]], *, path: str) -> None:
    """Change scenes in place: `sceneIdx` is the position, and the first clip of the type is the one meant.

    Raises Refusal (400) for a missing scene or clip. The vendor does not say which clip an edit touches nor whether
    `sceneIdx` means the position; this is our choice.
    """
    for index, update in enumerate(updates):
        position, kind = int(update["sceneIdx"]), update["type"]
        if not 0 <= position < len(scenes):
            raise Refusal(BAD_BODY, f"{path}.{index}.sceneIdx: the project has no scene {position}")
        scene = scenes[position]
        if kind == "background":
            scene["background"] = {**_object(scene.get("background")), **update["values"]}
            continue
        clip = next((clip for clip in _objects(scene.get("clips")) if clip.get("type") == kind), None)
        if clip is None:
            raise Refusal(BAD_BODY, f"{path}.{index}.type: scene {position} has no clip of type {kind}")
        _overwrite(scene, clip, update["values"])


def _overwrite(scene: dict[str, Any], clip: dict[str, Any], values: dict[str, Any]) -> None:
    """Overwrite fields of a clip; a script, given as text or object, goes where the scene keeps its speech."""
    for name, value in values.items():
        if name != "script" or clip.get("type") != "aiModel":
            clip[name] = value
            continue
        words = value.get("org") if isinstance(value, dict) else value
        if not isinstance(words, str):
            raise Refusal(BAD_BODY, "values.script: must be a string or an object with org")
        scripts = _objects(scene.get("scripts"))
        if scripts:
            scripts[0]["org"] = words
        if not scripts or isinstance(clip.get("script"), dict):
            more = value if isinstance(value, dict) else {}
            clip["script"] = {**_object(clip.get("script")), **more, "org": words}


def _object(value: Any) -> dict[str, Any]:
    """An object; a lenient sandbox may have stored anything else there."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
