"""Applies the `replace` entries of a request to the scenes of a project that was read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from renderline.kinds.editor.avatars import replace_avatars
from renderline.kinds.editor.backgrounds import replace_background
from renderline.kinds.editor.parts import (
    AVATAR,
    CONTENT,
    Line,
    avatars_of,
    clips_of,
    entries,
    lines_of,
    scenes_of,
    tag_of,
)
from renderline.kinds.editor.unfit import Unfit, kind_of, known_clips, known_tags, listed, shown

_TYPES: Final = {"avatar": AVATAR, "script": AVATAR, **{name: kind for kind, (name, _) in CONTENT.items()}}
"""The type of clip that each field of an entry is for."""
POSITIONS: Final = ("scene", "clip", "script_index")
"""The fields of an entry that are positions, from 0."""
_POSTERS: Final = frozenset({"videoImage"})
"""Types whose `source_url` is a picture of the old video, which a new one does not keep."""


def replaced(project: Mapping[str, Any], replace: Sequence[Mapping[str, Any]]) -> tuple[list[Any], dict[str, str]]:
    """Return the scenes of the project after all entries, and what does not fit: message by path of the field.

    The entries apply in their order, so a later one wins. The project is not changed; what no entry names is shared
    with it.
    """
    scenes = list(project["scenes"]) if isinstance(project.get("scenes"), list) else []
    problems: dict[str, str] = {}
    if not scenes_of(project):
        return scenes, {"project_id": "this project has no scenes, so there is nothing to render"}
    for at, entry in enumerate(replace):
        try:
            for scene_at, scene in _apply(project, dict(entries(scenes)), _plain(entry)).items():
                scenes[scene_at] = scene
        except Unfit as unfit:
            problems[f"replace.{at}.{unfit.field}"] = unfit.message
    return scenes, problems


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without nulls, its positions as ints: JSON's `1.0` is one."""
    given = _given(entry)
    values = {name: _given(value) for name, value in given.items() if isinstance(value, Mapping)}
    return {**given, **values, **{name: int(given[name]) for name in POSITIONS if name in given}}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _apply(
    project: Mapping[str, Any], scenes: Mapping[int, dict[str, Any]], entry: Mapping[str, Any]
) -> dict[int, dict[str, Any]]:
    """Return the scenes that an entry changes, changed."""
    if "scene" in entry and entry["scene"] not in scenes:
        raise Unfit("scene", f"the project has no scene {entry['scene']}; it has the scenes {listed(map(str, scenes))}")
    chosen = {entry["scene"]: scenes[entry["scene"]]} if "scene" in entry else scenes
    if "background" in entry:
        orientation = project.get("orientation")
        return {at: replace_background(one, entry["background"], orientation) for at, one in chosen.items()}
    kinds = [_TYPES[name] for name in _TYPES if name in entry]
    found = _tagged(project, chosen, entry, kinds) if "tag" in entry else _placed(chosen, entry, kinds)
    return {at: _changed(chosen[at], places, entry) for at, places in found.items()}


def _tagged(
    project: Mapping[str, Any], scenes: Mapping[int, dict[str, Any]], entry: Mapping[str, Any], kinds: Sequence[str]
) -> dict[int, list[int]]:
    """Return the clips with the entry's tag by scene: all of them that have the type it is for."""
    tag = entry["tag"].strip()
    tagged = [(at, place, clip) for at, one in scenes.items() for place, clip in clips_of(one) if tag_of(clip) == tag]
    if not tagged:
        where = f"scene {entry['scene']} has no clip" if "scene" in entry else "no clip of the project has"
        with_tag = f" with the tag {shown(tag)}" if "scene" in entry else f" the tag {shown(tag)}"
        raise Unfit("tag", f"{where}{with_tag}; the tags are: {known_tags(project)}")
    found: dict[int, list[int]] = {}
    for at, place, clip in tagged:
        if not kinds or clip.get("type") in kinds:
            found.setdefault(at, []).append(place)
    if not found:
        types = listed(sorted({kind_of(clip) for _, _, clip in tagged}))
        raise Unfit("tag", f"the tag {shown(tag)} is on clips of type {types}, but {_fields(entry)} is for {kinds[0]}")
    return found


def _placed(
    scenes: Mapping[int, dict[str, Any]], entry: Mapping[str, Any], kinds: Sequence[str]
) -> dict[int, list[int]]:
    """Return the one clip of the entry's scene that it means: the one at its position, or the only one of its type."""
    ((at, scene),) = scenes.items()
    if "script" in entry:
        return {at: []}
    clips = dict(clips_of(scene))
    place = entry.get("clip")
    if place is not None:
        if place not in clips:
            raise Unfit("clip", f"scene {at} has no clip {place}; its clips are: {known_clips(scene)}")
        if kinds and clips[place].get("type") not in kinds:
            wrong = f"clip {place} of scene {at} has the type {kind_of(clips[place])}"
            fits = known_clips(scene, kinds[0])
            raise Unfit("clip", f"{wrong}, but {_fields(entry)} is for {kinds[0]}; such clips are: {fits}")
        return {at: [place]}
    fitting = (
        avatars_of(scene) if kinds[0] == AVATAR else [one for one in clips_of(scene) if one[1].get("type") in kinds]
    )
    if len(fitting) == 1:
        return {at: [fitting[0][0]]}
    if not fitting:
        raise Unfit(_fields(entry), f"scene {at} has no clip of type {kinds[0]}; its clips are: {known_clips(scene)}")
    fits = known_clips(scene, kinds[0])
    raise Unfit(_fields(entry), f"scene {at} has several such clips: add clip or tag to say which; they are: {fits}")


def _changed(scene: dict[str, Any], places: Sequence[int], entry: Mapping[str, Any]) -> dict[str, Any]:
    if "script" in entry:
        return _with_line(scene, _line(scene, places, entry), entry["script"])
    if "avatar" in entry:
        scene = replace_avatars(scene, places, entry["avatar"])
    clips = list(scene["clips"])
    for place in places:
        clips[place] = _with_content(clips[place], entry)
    return {**scene, "clips": clips}


def _with_content(clip: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    kind = clip.get("type")
    if isinstance(kind, str) and kind in CONTENT and CONTENT[kind][0] in entry:
        name, field = CONTENT[kind]
        clip = {**clip, field: entry[name]}
        if kind in _POSTERS:
            clip.pop("source_url", None)
    return {**clip, **entry.get("set", {})}


def _line(scene: Mapping[str, Any], places: Sequence[int], entry: Mapping[str, Any]) -> Line:
    """Return the line that an entry means: by its index, or the only one of the scene or of the tagged avatar."""
    lines = lines_of(scene)
    mine = [line for line in lines if not places or set(line.speakers) & set(places)]
    index = entry.get("script_index")
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


def _with_line(scene: dict[str, Any], line: Line, words: str) -> dict[str, Any]:
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


def _fields(entry: Mapping[str, Any]) -> str:
    return next((name for name in _TYPES if name in entry), "set")
