"""Geometry: the boxes in pixels of avatars, texts and pictures on the canvas.

The avatar's box is the one of the vendor's landscape sample: 679 x 2229 px at scale 1 on a canvas of 1920 x 1080. Its
axis is a little right of the middle, its head 147 px below the upper edge, and the lower edge cuts it off at the hips.
The API says nothing about other models, so they get the same box.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

AVATAR_WIDTH: Final = 679
AVATAR_HEIGHT: Final = 2229
_HEAD_ROOM: Final = 146.74129135713008 / 1080  # of the canvas height
_AXIS: Final = 960 - 630.2493927359487  # from the left edge of the avatar's box, px at scale 1
_WIDEST: Final = 0.9  # of the canvas width, so that elbows stay in the picture in portrait

_MARGIN: Final = 0.05  # of the shorter side
_TEXT_WIDEST: Final = 0.8
_PICTURE_WIDEST: Final = 0.4
_PICTURE_HIGHEST: Final = 0.6
_PIXELS_PER_POINT: Final = 4 / 3
_LINE: Final = 1.3  # height of a line, in font sizes
_GLYPH: Final = 0.55  # mean width of a Latin letter, in font sizes; East Asian ones are about 1


@dataclass(frozen=True)
class Canvas:
    """The size of the video in pixels."""

    width: int
    height: int

    @property
    def landscape(self) -> bool:
        """Whether it is wider than high."""
        return self.width > self.height


CANVASES: Final = {"landscape": Canvas(1920, 1080), "portrait": Canvas(1080, 1920)}
"""AI Studios v3 contract, create project: 1920 x 1080 px, swapped for portrait."""


def avatar_place(canvas: Canvas, *, position: str, scale: float) -> dict[str, Any]:
    """Return the geometry of an avatar clip. `scale` 1 is the size in the vendor's sample, fitted to the canvas."""
    factor = min(canvas.height / 1080, _WIDEST * canvas.width / AVATAR_WIDTH) * scale
    width, height = AVATAR_WIDTH * factor, AVATAR_HEIGHT * factor
    axis = canvas.width * {"left": 0.25, "center": 0.5, "right": 0.75}[position]
    left = axis - _AXIS * factor
    if width <= canvas.width:
        left = min(max(left, 0), canvas.width - width)
    # An avatar that ends above the lower edge is moved down to it, instead of floating.
    top = max(_HEAD_ROOM * canvas.height, canvas.height - height)
    return {
        "left": round(left, 4),
        "top": round(top, 4),
        "width": AVATAR_WIDTH,
        "height": AVATAR_HEIGHT,
        "scaleX": round(factor, 6),
        "scaleY": round(factor, 6),
    }


def clip_place(canvas: Canvas, clip: dict[str, Any], *, beside: str) -> dict[str, Any]:
    """Return the geometry of a text, picture or shape. The clip's own place fields win.

    `beside` is the avatar's side. Pictures without a position go to the other side.
    """
    text = clip["type"] == "textImage"
    natural = text_box(canvas, clip) if text else _picture_box(clip)
    width, height = clip.get("width", natural[0]), clip.get("height", natural[1])
    scale = clip.get("scale")
    if scale is None:
        fitting = min(1.0, _PICTURE_WIDEST * canvas.width / width, _PICTURE_HIGHEST * canvas.height / height)
        scale = 1 if text else round(fitting, 6)
    default = "bottom" if text else _free_side(canvas, beside)
    left, top = _anchored(canvas, clip.get("position", default), width * scale, height * scale)
    return {
        "left": clip.get("left", left),
        "top": clip.get("top", top),
        "width": width,
        "height": height,
        "scaleX": scale,
        "scaleY": scale,
    }


def text_box(canvas: Canvas, clip: dict[str, Any]) -> tuple[float, float]:
    """Return width and height in pixels for a text clip, its lines wrapped at its own width or 80 % of the canvas."""
    size = clip["fontSize"] * _PIXELS_PER_POINT
    widths = [_line_width(line) * size for line in clip["text"].splitlines()] or [size]
    limit = clip.get("width", _TEXT_WIDEST * canvas.width)
    rows = sum(max(1, math.ceil(width / limit)) for width in widths)
    return round(max(1.0, min(max(widths), limit)), 2), round(rows * size * _LINE, 2)


def _line_width(line: str) -> float:
    if line.isascii():
        return len(line) * _GLYPH
    return sum(1.0 if unicodedata.east_asian_width(char) in "WF" else _GLYPH for char in line)


def _picture_box(clip: dict[str, Any]) -> tuple[float, float]:
    # The API needs the natural size, which only the caller knows.
    return (300, 300) if clip["type"] == "shape" else (640, 360)


def _free_side(canvas: Canvas, beside: str) -> str:
    if not canvas.landscape:
        return "top"
    return "left" if beside == "right" else "right"


def _anchored(canvas: Canvas, position: str, width: float, height: float) -> tuple[float, float]:
    margin = _MARGIN * min(canvas.width, canvas.height)
    column = next((side for side in ("left", "right") if position.endswith(side)), "center")
    row = next((side for side in ("top", "bottom") if position.startswith(side)), "center")
    left = {"left": margin, "center": (canvas.width - width) / 2, "right": canvas.width - width - margin}[column]
    top = {"top": margin, "center": (canvas.height - height) / 2, "bottom": canvas.height - height - margin}[row]
    return round(left, 2), round(top, 2)
