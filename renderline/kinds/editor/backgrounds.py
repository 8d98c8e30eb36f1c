"""Another background for a scene: an image, a colour or a video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.kinds.geometry import CANVASES, Canvas

COVER: Final = "background-cover"
"""The id of the clip that covers the background."""


_HIGHEST: Final = 1e9


def replace_background(scene: Mapping[str, Any], wanted: Mapping[str, Any], orientation: Any) -> dict[str, Any]:
    """Return the scene with another background: `wanted` has `image`, `color` or `video`.

    `image` is the only type of background that the vendor documents. A colour or a video becomes a clip that fills the
    canvas below all others, as in the compact form; a second one takes the place of the first.
    """
    clips = [clip for clip in _list(scene.get("clips")) if not _is_cover(clip)]
    if "image" in wanted:
        old = scene.get("background")
        background = dict(old) if isinstance(old, dict) else {"id": "background", "type": "background"}
        return {
            **scene,
            "background": {**background, "source_type": "image", "source_url": wanted["image"]},
            "clips": clips,
        }
    canvas = CANVASES.get(orientation if isinstance(orientation, str) else "", CANVASES["landscape"])
    bottom = min((clip["layer"] for clip in clips if _has_layer(clip)), default=1)
    # No sample has a layer below 0, so there the others move up.
    lift = max(0, 1 - bottom)
    if lift:
        clips = [{**clip, "layer": clip["layer"] + lift} if _has_layer(clip) else clip for clip in clips]
    # At the end of the list, so that the positions of the other clips stay those that the project showed.
    return {**scene, "clips": [*clips, _cover(wanted, canvas, layer=bottom - 1 + lift)]}


def _cover(wanted: Mapping[str, Any], canvas: Canvas, *, layer: float) -> dict[str, Any]:
    place = {"left": 0, "top": 0, "width": canvas.width, "height": canvas.height, "scaleX": 1, "scaleY": 1}
    if "color" in wanted:
        content = {"type": "shape", "shapeName": "Rectangle_corner0", "fill": wanted["color"]}
    else:
        volume = {"volume": wanted["volume"]} if "volume" in wanted else {}
        content = {"type": "videoImage", "video_url": wanted["video"], **volume}
    return {"id": COVER, "layer": layer, **content, **place}


def _has_layer(clip: Any) -> bool:
    layer = clip.get("layer") if isinstance(clip, dict) else None
    return isinstance(layer, int | float) and not isinstance(layer, bool) and abs(layer) < _HIGHEST


def _is_cover(clip: Any) -> bool:
    return isinstance(clip, dict) and clip.get("id") == COVER


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
