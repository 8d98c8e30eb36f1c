"""A request with placeholders for an outlined project, and the table of rows that fills it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from renderline.kinds.editor.carried import carried_name

_NOT_IN_COLUMNS: Final = re.compile(r"\W+")


@dataclass
class RequestTemplate:
    """A request of kind `from_project` whose strings hold placeholders such as `{{headline}}`."""

    request: dict[str, Any]
    example: dict[str, str] = field(default_factory=dict)
    """Each column with what the project has there now, in the order of the scenes."""
    _numbers: dict[str, int] = field(default_factory=dict, repr=False)
    """The last number that a name was given. A project may have thousands of tags that make one name."""

    def column(self, wanted: str, value: str) -> str:
        """Add a column and return its placeholder. A name that is taken gets a number."""
        name = wanted
        while name in self.example:
            self._numbers[wanted] = number = self._numbers.get(wanted, 1) + 1
            name = f"{wanted}_{number}"
        self.example[name] = value
        return f"{{{{{name}}}}}"


def request_template(
    outlined: Mapping[str, Any], *, project_id: str, account: str = "default", everything: bool = False
) -> RequestTemplate:
    """Return a request that replaces the texts, spoken lines and tagged clips of an outlined project; with `everything`
    all clips.

    A tagged clip gets a column of its tag's name, and one entry, however often the tag occurs. Others are named by
    scene and position, with the numbers of the outline: `scene0_text2`, `scene1_script0`.
    """
    template = RequestTemplate({"kind": "from_project", "project_id": project_id})
    name = carried_name(outlined)
    if name:
        template.request["name"] = name
    if account != "default":
        template.request["account"] = account
    replace: list[dict[str, Any]] = []
    tagged: set[tuple[str, str]] = set()
    for scene in outlined["scenes"]:
        for clip in scene["clips"]:
            place = _place(scene["scene"], clip, tagged, everything=everything)
            if place is not None:
                replace.append({**place, **_clip_columns(template, place, clip)})
        replace.extend(_lines(template, scene))
    template.request["replace"] = replace
    return template


def _place(
    scene: int, clip: Mapping[str, Any], tagged: set[tuple[str, str]], *, everything: bool
) -> dict[str, Any] | None:
    """Return where an entry for the clip applies; None if the template leaves the clip as it is."""
    kind, tag = clip["replace"], clip["tag"]
    if kind is None or clip["hidden"]:
        return None
    if tag is not None:
        first = (tag, kind) not in tagged
        tagged.add((tag, kind))
        return {"tag": tag} if first else None
    return {"scene": scene, "clip": clip["clip"]} if everything or kind == "text" else None


def _clip_columns(template: RequestTemplate, place: Mapping[str, Any], clip: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry puts into a clip: a placeholder, for an avatar two."""
    name, value = clip["replace"], clip["value"]
    column = _column(place["tag"]) if "tag" in place else f"scene{place['scene']}_{name}{place['clip']}"
    if name != "avatar":
        return {name: template.column(column, value or "")}
    look = value or {"model": "", "clothes": ""}
    return {name: {part: template.column(f"{column}_{part}", look[part]) for part in ("model", "clothes")}}


def _lines(template: RequestTemplate, scene: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    at, lines = scene["scene"], scene["scripts"]
    for line in lines:
        words, index = line["text"], line["script_index"]
        if words and len(lines) == 1:
            yield {"scene": at, "script": template.column(f"scene{at}_script", words)}
        elif words:
            column = template.column(f"scene{at}_script{index}", words)
            yield {"scene": at, "script_index": index, "script": column}


def _column(tag: str) -> str:
    """Return a tag as the name of a column: letters of any language, digits and `_`."""
    return _NOT_IN_COLUMNS.sub("_", tag).strip("_") or "tag"
