"""Recognises a bare vendor body and wraps it into a render request."""

from __future__ import annotations

from typing import Any, Final

from .kinds import KINDS
from .refusal import RequestRefused

_EXPORT: Final = frozenset({"projectId", "workspaceId", "resolution", "webhookUrl", "isExport"})
_UNKNOWN: Final = "is neither a render request nor a vendor body of a known kind (" + ", ".join(KINDS) + ")"


def as_request(body: Any) -> dict[str, Any]:
    """Return a render request `{"kind": ..., "payload": body}` for a vendor body; a render request stays as it is.

    Only recognises, does not check: a body that is nearly right is named wrong by `load_request`.
    Raises RequestRefused for anything else.
    """
    if not isinstance(body, dict):
        raise RequestRefused({"request": ["must be an object"]})
    if "kind" in body:
        return body
    kind = _kind(body)
    if kind is None:
        raise RequestRefused({"request": [_UNKNOWN]})
    return {"kind": kind, "payload": body}


def _kind(body: dict[str, Any]) -> str | None:
    if isinstance(body.get("scenes"), list):
        return _kind_of_scenes(body["scenes"])
    if isinstance(body.get("updates"), dict | list):
        return "edit"
    if "templateId" in body:
        return "template"
    if {"text", "model"} <= body.keys():
        return "simple_video"
    if "projectId" in body and body.keys() <= _EXPORT:
        return "export"
    return None


def _kind_of_scenes(scenes: list[Any]) -> str | None:
    for scene in scenes:
        if not isinstance(scene, dict):
            continue
        clips = scene.get("clips")
        detailed = isinstance(clips, list) and any(isinstance(clip, dict) and "detail" in clip for clip in clips)
        if "AIModel" in scene or detailed:
            return "v2_project"
        if {"sceneIdx", "clips"} <= scene.keys() or "scripts" in scene:
            return "project"
    return None
