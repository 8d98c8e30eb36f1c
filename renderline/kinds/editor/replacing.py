"""Applies the `replace` entries of a request to the scenes of a project that was read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from renderline.kinds.editor.avatars import replace_avatars
from renderline.kinds.editor.backgrounds import replace_background
from renderline.kinds.editor.parts import (
    AVATAR,
    CONTENT,
    avatars_of,
    clip_at,
    clips_of,
    scenes_of,
    tags_of,
)
from renderline.kinds.editor.spoken import find_line, with_words
from renderline.kinds.editor.unfit import Unfit, kind_of, known_clips, known_tags, listed, shown

_TYPES: Final = {"avatar": AVATAR, "script": AVATAR, **{name: kind for kind, (name, _) in CONTENT.items()}}
"""The type of clip that each field of an entry is for."""
POSITIONS: Final = ("scene", "clip", "script_index")
"""The fields of an entry that are positions, from 0."""
_MOST_PROBLEMS: Final = 10
_MOST_CHANGES: Final = 100_000
"""Changed clips: a tag that is on every clip of a project of 16 MB would otherwise keep a worker busy for minutes."""
_POSTERS: Final = frozenset({"videoImage"})
"""Types whose `source_url` is a picture of the old video, which a new one does not keep."""


def replaced(project: Mapping[str, Any], replace: Sequence[Mapping[str, Any]]) -> tuple[list[Any], dict[str, str]]:
    """Return the scenes of the project after all entries, and what does not fit: message by path of the field.

    The entries apply in their order, so a later one wins. The project is not changed; what no entry names is shared
    with it.
    """
    scenes = list(project["scenes"]) if isinstance(project.get("scenes"), list) else []
    parts = _Parts(project)
    problems: dict[str, str] = {}
    if not parts.scenes:
        return scenes, {"project_id": "this project has no scenes, so there is nothing to render"}
    for at, entry in enumerate(replace):
        try:
            parts.scenes |= _apply(parts, _plain(entry))
        except Unfit as unfit:
            problems[f"replace.{at}.{unfit.field}"] = unfit.message
        if parts.changes > _MOST_CHANGES:
            problems["replace"] = f"changes more than {_MOST_CHANGES} clips in all"
        if len(problems) >= _MOST_PROBLEMS or parts.changes > _MOST_CHANGES:
            break
    for at, scene in parts.scenes.items():
        scenes[at] = scene
    return scenes, problems


class _Parts:
    """A project's scenes, changed so far, and its tags. An entry changes neither tags nor types nor positions."""

    def __init__(self, project: Mapping[str, Any]) -> None:
        self.project = project
        self.scenes: dict[int, dict[str, Any]] = dict(scenes_of(project))
        self.changes = 0

    @cached_property
    def tagged(self) -> dict[str, dict[int, list[int]]]:
        """The positions of the clips with each tag, by scene."""
        found: dict[str, dict[int, list[int]]] = {}
        for tag, scene_at, at, _ in tags_of(self.project):
            found.setdefault(tag, {}).setdefault(scene_at, []).append(at)
        return found

    @cached_property
    def known_scenes(self) -> str:
        return listed(map(str, self.scenes))

    @cached_property
    def known_tags(self) -> str:
        return known_tags(self.project)


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without nulls, its positions as ints: JSON's `1.0` is one."""
    given = _given(entry)
    values = {name: _given(value) for name, value in given.items() if isinstance(value, Mapping)}
    return {**given, **values, **{name: int(given[name]) for name in POSITIONS if name in given}}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _apply(parts: _Parts, entry: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the scenes that an entry changes, changed."""
    at = entry.get("scene")
    if at is not None and at not in parts.scenes:
        raise Unfit("scene", f"the project has no scene {at}; it has the scenes {parts.known_scenes}")
    if at is not None and "background" in entry:
        orientation = parts.project.get("orientation")
        return {at: replace_background(parts.scenes[at], entry["background"], orientation)}
    kinds = [_TYPES[name] for name in _TYPES if name in entry]
    found = _tagged(parts, entry, kinds) if at is None or "tag" in entry else _placed(parts, entry, kinds)
    parts.changes += sum(map(len, found.values()))
    return {scene: _changed(parts.scenes[scene], places, entry) for scene, places in found.items()}


def _tagged(parts: _Parts, entry: Mapping[str, Any], kinds: Sequence[str]) -> dict[int, list[int]]:
    """Return the clips with the entry's tag by scene: all of them that have the type it is for."""
    tag, only = entry["tag"].strip(), entry.get("scene")
    tagged = parts.tagged.get(tag, {})
    if only is not None:
        tagged = {only: tagged[only]} if only in tagged else {}
    if not tagged:
        where = f"scene {only} has no clip with" if only is not None else "no clip of the project has"
        raise Unfit("tag", f"{where} the tag {shown(tag)}; the tags are: {parts.known_tags}")
    found = {}
    for at, places in tagged.items():
        fitting = [place for place in places if not kinds or parts.scenes[at]["clips"][place].get("type") in kinds]
        if fitting:
            found[at] = fitting
    if not found:
        clips = [parts.scenes[at]["clips"][place] for at, places in tagged.items() for place in places]
        types = listed(sorted({kind_of(clip) for clip in clips}))
        raise Unfit("tag", f"the tag {shown(tag)} is on clips of type {types}, but {_fields(entry)} is for {kinds[0]}")
    return found


def _placed(parts: _Parts, entry: Mapping[str, Any], kinds: Sequence[str]) -> dict[int, list[int]]:
    """Return the one clip of the scene that an entry means: the one at its position, or the only one of its type.

    No clip for `script`, which means a line.
    """
    at = entry["scene"]
    scene = parts.scenes[at]
    if "script" in entry:
        return {at: []}
    if (place := entry.get("clip")) is not None:
        clip = clip_at(scene, place)
        if clip is None:
            raise Unfit("clip", f"scene {at} has no clip {place}; its clips are: {known_clips(scene)}")
        if kinds and clip.get("type") not in kinds:
            fits = f"{_fields(entry)} is for {kinds[0]}; such clips are: {known_clips(scene, kinds[0])}"
            raise Unfit("clip", f"clip {place} of scene {at} has the type {kind_of(clip)}, but {fits}")
        return {at: [place]}
    clips = avatars_of(scene) if kinds[0] == AVATAR else clips_of(scene)
    fitting = [place for place, clip in clips if clip.get("type") in kinds]
    if len(fitting) == 1:
        return {at: fitting}
    if not fitting:
        raise Unfit(_fields(entry), f"scene {at} has no clip of type {kinds[0]}; its clips are: {known_clips(scene)}")
    fits = known_clips(scene, kinds[0])
    raise Unfit(_fields(entry), f"scene {at} has several such clips: add clip or tag to say which; they are: {fits}")


def _changed(scene: dict[str, Any], places: Sequence[int], entry: Mapping[str, Any]) -> dict[str, Any]:
    if "script" in entry:
        return with_words(scene, find_line(scene, places, entry.get("script_index")), entry["script"])
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


def _fields(entry: Mapping[str, Any]) -> str:
    return next((name for name in _TYPES if name in entry), "set")
