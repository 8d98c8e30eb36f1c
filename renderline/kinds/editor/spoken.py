"""Other words for a line of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renderline.kinds.editor.parts import Line, lines_of
from renderline.kinds.editor.unfit import Unfit, listed


def find_line(scene: Mapping[str, Any], places: Sequence[int], index: int | None) -> Line:
    """Return the line with this index, or the only one: of the avatars at these places, without any of the scene.

    Raises Unfit if there is none, or no only one.
    """
    lines = lines_of(scene)
    mine = [line for line in lines if not places or set(line.speakers) & set(places)]
    if index is not None:
        mine = [line for line in mine if line.index == index]
    if len(mine) == 1:
        return mine[0]
    said = listed(str(line.index) for line in lines)
    whose = "the tagged avatar" if places else "the scene"
    if index is not None:
        raise Unfit("script_index", f"{whose} has no line {index}; the lines of the scene are: {said}")
    if not mine:
        raise Unfit("script", f"{whose} has no line to replace; the lines of the scene are: {said}")
    raise Unfit(
        "script", f"{whose} has several lines: add script_index to say which; the lines of the scene are: {said}"
    )


def with_words(scene: dict[str, Any], line: Line, words: str) -> dict[str, Any]:
    """Return the scene with other words in a line. An avatar's own copy of the old words is replaced with them."""
    changed = dict(scene)
    for place in line.speakers:
        own = changed["clips"][place].get("script")
        if isinstance(own, dict) and (line.at is None or own.get("org") == line.text):
            clip = {**changed["clips"][place], "script": {**own, "org": words}}
            changed["clips"] = _with_entry(changed["clips"], place, clip)
    if line.at is not None:
        script = {**scene["scripts"][line.at], "org": words}
        changed["scripts"] = _with_entry(scene["scripts"], line.at, script)
    return changed


def _with_entry(entries: Sequence[Any], at: int, entry: Any) -> list[Any]:
    return [*entries[:at], entry, *entries[at + 1 :]]
