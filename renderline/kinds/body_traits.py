"""Traits that tell one vendor body from another, so that only one kind matches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

_OF_V3: Final = frozenset({"isExport", "webhookUrl", "workspaceId", "resolution", "ttsType", "tts"})
_OF_V2: Final = frozenset({"webhook", "locale", "uppercut"})


def has_scenes(body: Mapping[str, Any]) -> bool:
    """Return whether a body has a list of scenes."""
    return isinstance(body.get("scenes"), list)


def has_updates(body: Mapping[str, Any]) -> bool:
    """Return whether a body has updates, as an object or as the bare list of the older samples."""
    return isinstance(body.get("updates"), dict | list)


def updates_apis(body: Mapping[str, Any]) -> frozenset[Literal["v3", "v2"]]:
    """Return the APIs whose form the updates of a body have; either if none of them tells."""
    updates = body.get("updates")
    if not isinstance(updates, list):
        return frozenset({"v3"} if isinstance(updates, dict) else ())
    given = [update for update in updates if isinstance(update, dict)]
    names: tuple[tuple[Literal["v3", "v2"], str], ...] = (("v3", "type"), ("v2", "property"))
    found = {api for api, name in names if any(name in update for update in given)}
    return frozenset(found or {"v3", "v2"})


def scenes_api(body: Mapping[str, Any]) -> Literal["v3", "v2"] | None:
    """Return the API whose form the scenes of a body have. The first scene of either form decides."""
    for scene in body["scenes"] if has_scenes(body) else ():
        if not isinstance(scene, dict):
            continue
        clips = scene.get("clips")
        detailed = isinstance(clips, list) and any(isinstance(clip, dict) and "detail" in clip for clip in clips)
        if "AIModel" in scene or detailed:
            return "v2"
        if {"sceneIdx", "clips"} <= scene.keys() or "scripts" in scene:
            return "v3"
    return None


def simple_apis(body: Mapping[str, Any]) -> frozenset[Literal["v3", "v2"]]:
    """Return the APIs that a body of a simple call, which has `text` and `model`, can be meant for.

    What both APIs document is meant for either; with fields of both it is meant for none. Each API has its own price,
    so such a body is never sent on a guess.
    """
    if not {"text", "model"} <= body.keys() or has_scenes(body) or has_updates(body) or "templateId" in body:
        return frozenset()
    apis: set[Literal["v3", "v2"]] = {"v3", "v2"}
    if body.keys() & _OF_V3:
        apis.discard("v2")
    if body.keys() & _OF_V2:
        apis.discard("v3")
    return frozenset(apis)
