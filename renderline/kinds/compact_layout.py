"""Turns the compact form into a full v3 body: scripts, background, layers, ids and the place of every clip."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from renderline.kinds.compact_scenes import BACKGROUND_IMAGE
from renderline.kinds.geometry import CANVASES, Canvas, avatar_place, clip_place

_PLACING: Final = frozenset({"position", "scale", "left", "top", "width", "height", "layer"})
_NOWHERE: Final = {"left": 0, "top": 0, "width": 0, "height": 0}


def lay_out(project: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the v3 create call for a project that passed the compact schema.

    The same project always gives the same body, so that a submission can be repeated.
    """
    canvas = CANVASES[project["orientation"]]
    scenes = [_scene(canvas, scene, at) for at, scene in enumerate(project["scenes"])]
    return {**project, "scenes": scenes}


def _scene(canvas: Canvas, scene: dict[str, Any], at: int) -> dict[str, Any]:
    avatar, tts = scene["avatar"], scene.get("tts")
    clips = [*_cover(canvas, scene["background"]), _avatar(canvas, avatar)]
    clips += [_clip(canvas, clip, beside=avatar["position"]) for clip in scene["clips"]]
    script = {"org": scene["script"], "isTTS": tts is not None, "tts": tts}
    return {
        "sceneIdx": at,
        "scripts": [{**script, "modelId": avatar["model"], "clothId": avatar["clothes"]}],
        "background": _background(scene["background"]),
        "clips": [
            {"id": f"{clip['type']}-{at}-{layer}", "layer": layer, **clip} for layer, clip in enumerate(clips, start=1)
        ],
    }


def _background(background: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "background",
        "type": "background",
        "source_type": "image",
        "source_url": background.get("image", BACKGROUND_IMAGE),
        "source_color": background.get("color", "rgb(0,0,0)"),
    }


def _cover(canvas: Canvas, background: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the clip that covers the background, if it is a colour or a video.

    The vendor documents `image` as the only background type. Its own sample makes a video background with a clip that
    fills the canvas, so a colour or a video becomes such a clip.
    """
    place = {"left": 0, "top": 0, "width": canvas.width, "height": canvas.height, "scaleX": 1, "scaleY": 1}
    if "color" in background:
        return [{"type": "shape", "shapeName": "Rectangle_corner0", "fill": background["color"], **place}]
    if "video" in background:
        volume = {"volume": background["volume"]} if "volume" in background else {}
        return [{"type": "videoImage", "video_url": background["video"], **volume, **place}]
    return []


def _avatar(canvas: Canvas, avatar: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "aiModel",
        **avatar_place(canvas, position=avatar["position"], scale=avatar["scale"]),
        "model": {"ai_name": avatar["model"], "emotion": avatar["clothes"], "language": avatar["language"]},
        **({"effects": [{"type": "head-only"}]} if avatar["head_only"] else {}),
    }


def _clip(canvas: Canvas, clip: dict[str, Any], *, beside: str) -> dict[str, Any]:
    content = {name: value for name, value in clip.items() if name not in _PLACING}
    layer = {"layer": clip["layer"]} if "layer" in clip else {}
    if clip["type"] == "audio":
        label = clip.get("label") or urlsplit(clip["source_url"]).path.rpartition("/")[2] or "audio"
        return {**content, "label": label, **_NOWHERE, **layer}
    return {**content, **clip_place(canvas, clip, beside=beside), **layer}
