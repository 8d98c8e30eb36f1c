"""Edits of v2 scenes (AI Studios v2 contract, template-based export)."""

from typing import Any

from renderline.sandbox.responses import BAD_BODY, Refusal


def apply_updates(scenes: list[dict[str, Any]], updates: list[dict[str, Any]]) -> None:
    """Change scenes in place; raises Refusal (400) for a scene, an avatar or a clip that is not there.

    `clipIdx` is the position among the clips, which must then be of the `clipType` if one is named; without it the
    first clip of the type is meant. A clip's values belong into its `detail`. The vendor says neither.
    """
    for index, update in enumerate(updates):
        path, position = f"updates.{index}", int(update["sceneIdx"])
        scene = scene_at(scenes, position, f"{path}.sceneIdx")
        if update["property"] == "AIModel":
            if not isinstance(scene.get("AIModel"), dict):
                raise Refusal(BAD_BODY, f"{path}.property: scene {position} has no AIModel")
            scene["AIModel"] |= update["values"]
        else:
            clip = _clip(scene.get("clips") or [], update, path)
            clip["detail"] = {**(clip.get("detail") or {}), **update["values"]}


def scene_at(scenes: list[dict[str, Any]], position: int, path: str) -> dict[str, Any]:
    """The scene at a position; raises Refusal (400)."""
    if not 0 <= position < len(scenes):
        raise Refusal(BAD_BODY, f"{path}: the project has no scene {position}")
    return scenes[position]


def _clip(clips: list[dict[str, Any]], update: dict[str, Any], path: str) -> dict[str, Any]:
    kind, position = update.get("clipType"), update.get("clipIdx")
    chosen = clips
    if position is not None:
        chosen = [clips[int(position)]] if 0 <= position < len(clips) else []
    found = next((clip for clip in chosen if kind is None or clip.get("type") == kind), None)
    if found is None:
        raise Refusal(BAD_BODY, f"{path}: the scene has no clip at clipIdx {position} of clipType {kind}")
    return found
