"""The outline of a project that was read back: its scenes, clips and lines, as a request's `replace` addresses them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from renderline.kinds.editor.parts import (
    AVATAR,
    CONTENT,
    REPLACED_BY,
    Line,
    clips_of,
    lines_of,
    look_of,
    scenes_of,
    tag_of,
)

HEADINGS: Final = ("SCENE", "PART", "TYPE", "TAG", "PLACE", "CONTENT")
"""The columns of `table`."""

_FAR: Final = 1e9
"""Pixels; what lies further out is no place."""
_TAG: Final = re.compile(r"</?(?:p|span|br)\b[^<>]*>", re.I)


def outline(project: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a project holds, in JSON: `id`, `name`, `orientation`, `state`, and `scenes`.

    A scene has its `scene` number, its `background`, its `clips` and its `scripts`. The numbers `scene`, `clip` and
    `script_index` are those that a `replace` entry of kind `from_project` uses; `replace` names the entry's field.
    """
    return {
        "id": _text(project.get("_id")) or _text(project.get("id")),
        "name": _text(project.get("name")),
        "orientation": _text(project.get("orientation")),
        "state": _text(project.get("state")),
        "scenes": [_scene(at, scene) for at, scene in scenes_of(project)],
    }


def table(outlined: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield the rows of an outline under `HEADINGS`: for each scene its background, clips and lines."""
    for scene in outlined["scenes"]:
        number = str(scene["scene"])
        if scene["background"] is not None:
            yield number, "background", scene["background"]["type"] or "", "", "", scene["background"]["value"] or ""
        for clip in scene["clips"]:
            kind = f"{clip['type']}, hidden" if clip["hidden"] else clip["type"]
            yield number, f"clip {clip['clip']}", kind, clip["tag"] or "", _place(clip), _content(clip["value"])
        for line in scene["scripts"]:
            by = "".join(f" (clip {at})" for at in line["clips"])
            voice = "synthetic voice" if line["synthetic"] else "script"
            yield number, f"script {line['script_index']}", voice, "", "", f"{_one_line(line['text'])}{by}"


def plain_text(words: str) -> str:
    """Return spoken words without the vendor's `<p>` and `<span>`; a paragraph's end is a space."""
    return " ".join(html.unescape(_TAG.sub(" ", words)).split())


def content_of(clip: Mapping[str, Any]) -> Any:
    """Return what can be replaced in a clip: its text, its URL, or an avatar's model and clothes; None if nothing."""
    kind = clip.get("type")
    if kind == AVATAR:
        look = look_of(clip)
        return None if look is None else {"model": look[0], "clothes": look[1]}
    return _text(clip.get(CONTENT[kind][1])) if isinstance(kind, str) and kind in CONTENT else None


def _scene(at: int, scene: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "scene": at,
        "background": _background(scene.get("background")),
        "clips": [_clip(place, clip) for place, clip in clips_of(scene)],
        "scripts": [_line(line) for line in lines_of(scene)],
    }


def _background(background: Any) -> dict[str, Any] | None:
    if not isinstance(background, dict):
        return None
    kind = _text(background.get("source_type"))
    value = background.get("source_url" if kind in (None, "image", "video") else "source_color")
    return {"type": kind, "value": _text(value) or _text(background.get("source_url"))}


def _clip(at: int, clip: Mapping[str, Any]) -> dict[str, Any]:
    kind = _text(clip.get("type")) or "?"
    return {
        "clip": at,
        "type": kind,
        "tag": tag_of(clip),
        "replace": REPLACED_BY.get(kind),
        "value": content_of(clip),
        "left": _number(clip.get("left")),
        "top": _number(clip.get("top")),
        "width": _drawn(clip, "width", "scaleX"),
        "height": _drawn(clip, "height", "scaleY"),
        "hidden": clip.get("isDelete") is True,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "script_index": line.index,
        "text": plain_text(line.text),
        "clips": list(line.speakers),
        "synthetic": line.synthetic,
    }


def _drawn(clip: Mapping[str, Any], size: str, scale: str) -> float | None:
    """Return the drawn size in pixels (v3 contract, clips: size times scale)."""
    length, factor = _number(clip.get(size)), _number(clip.get(scale))
    return None if length is None else round(length * (1 if factor is None else factor), 2)


def _number(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and abs(value) < _FAR else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _place(clip: Mapping[str, Any]) -> str:
    sides = [clip[side] for side in ("left", "top", "width", "height")]
    return "" if None in sides else "{:.0f},{:.0f} {:.0f}x{:.0f}".format(*sides)


def _content(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['model']} in {value['clothes']}"
    return _one_line(value or "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
