"""A request with placeholders for a project that was read back, and the table of rows that fills it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from renderline.kinds.editor.carried import carried_name
from renderline.kinds.editor.outline import content_of, plain_text
from renderline.kinds.editor.parts import AVATAR, REPLACED_BY, clips_of, lines_of, scenes_of, tag_of

_NOT_IN_COLUMNS: Final = re.compile(r"\W+")


@dataclass
class RequestTemplate:
    """A request of kind `from_project` whose strings hold placeholders such as `{{headline}}`."""

    request: dict[str, Any]
    example: dict[str, str] = field(default_factory=dict)
    """Each column with what the project has there now, in the order of the scenes."""

    def column(self, wanted: str, value: str) -> str:
        """Add a column and return its placeholder. A name that is taken gets a number."""
        name, number = wanted, 1
        while name in self.example:
            number += 1
            name = f"{wanted}_{number}"
        self.example[name] = value
        return f"{{{{{name}}}}}"


def request_template(project: Mapping[str, Any], *, project_id: str, everything: bool = False) -> RequestTemplate:
    """Return a request that replaces the project's texts, spoken lines and tagged clips; with `everything` all clips.

    A tagged clip gets a column of its tag's name, and one entry, however often the tag occurs. Others are named by
    scene and position, with the numbers of the outline: `scene0_text2`, `scene1_script0`.
    """
    template = RequestTemplate({"kind": "from_project", "project_id": project_id})
    name = carried_name(project)
    if name:
        template.request["name"] = name
    replace: list[dict[str, Any]] = []
    tagged: set[tuple[str, str]] = set()
    for scene_at, scene in scenes_of(project):
        for clip_at, clip in clips_of(scene):
            place = _place(scene_at, clip_at, clip, tagged, everything=everything)
            if place is not None:
                replace.append({**place, **_clip_columns(template, place, clip)})
        replace.extend(_lines(template, scene_at, scene))
    template.request["replace"] = replace
    return template


def _place(
    scene_at: int, clip_at: int, clip: Mapping[str, Any], tagged: set[tuple[str, str]], *, everything: bool
) -> dict[str, Any] | None:
    """Return where an entry for the clip applies; None if the template leaves the clip as it is."""
    kind, tag = clip.get("type"), tag_of(clip)
    if not isinstance(kind, str) or kind not in REPLACED_BY or clip.get("isDelete") is True:
        return None
    if tag is not None:
        first = (tag, kind) not in tagged
        tagged.add((tag, kind))
        return {"tag": tag} if first else None
    return {"scene": scene_at, "clip": clip_at} if everything or kind == "textImage" else None


def _clip_columns(template: RequestTemplate, place: Mapping[str, Any], clip: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry puts into a clip: a placeholder, for an avatar two."""
    value, name = content_of(clip), REPLACED_BY[clip["type"]]
    column = _column(place["tag"]) if "tag" in place else f"scene{place['scene']}_{name}{place['clip']}"
    if clip["type"] != AVATAR:
        return {name: template.column(column, value or "")}
    look = value or {"model": "", "clothes": ""}
    return {name: {part: template.column(f"{column}_{part}", look[part]) for part in ("model", "clothes")}}


def _lines(template: RequestTemplate, scene_at: int, scene: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    lines = lines_of(scene)
    for line in lines:
        words = plain_text(line.text)
        if words and len(lines) == 1:
            yield {"scene": scene_at, "script": template.column(f"scene{scene_at}_script", words)}
        elif words:
            column = template.column(f"scene{scene_at}_script{line.index}", words)
            yield {"scene": scene_at, "script_index": line.index, "script": column}


def _column(tag: str) -> str:
    """Return a tag as the name of a column: letters of any language, digits and `_`."""
    return _NOT_IN_COLUMNS.sub("_", tag).strip("_") or "tag"
