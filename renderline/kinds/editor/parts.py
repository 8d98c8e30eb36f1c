"""The parts of a project that was read back: its scenes, their clips, and the lines that their avatars speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

AVATAR: Final = "aiModel"

CONTENT: Final = {
    "textImage": ("text", "text"),
    "image": ("image", "source_url"),
    "videoImage": ("video", "video_url"),
    "audio": ("audio", "source_url"),
}
"""The types of clip with one replaceable value: its name in a request, and the vendor's field that holds it."""

REPLACED_BY: Final = {AVATAR: "avatar", **{kind: name for kind, (name, _) in CONTENT.items()}}
"""The field of a `replace` entry for each type of clip that has one."""

_MOST_SPEAKERS: Final = 20
"""Avatars of a scene that look the same and are kept apart."""

Entries = list[tuple[int, dict[str, Any]]]
"""Objects of a list, each with its position there."""

Look = tuple[str, str]
"""Model and clothes of an avatar."""


def entries(value: Any) -> Entries:
    """Return the objects in a list with their positions; none if it is no list."""
    return [(at, one) for at, one in enumerate(value) if isinstance(one, dict)] if isinstance(value, list) else []


def scenes_of(project: Mapping[str, Any]) -> Entries:
    """Return the scenes of a project in the order of the list, which is the only safe one (v3 contract, scenes)."""
    return entries(project.get("scenes"))


def clips_of(scene: Mapping[str, Any]) -> Entries:
    """Return the clips of a scene with their positions."""
    return entries(scene.get("clips"))


def clip_at(scene: Mapping[str, Any], place: int) -> dict[str, Any] | None:
    """Return the clip at a position, None if there is none."""
    clips = scene.get("clips")
    found = clips[place] if isinstance(clips, list) and place < len(clips) else None
    return found if isinstance(found, dict) else None


def avatars_of(scene: Mapping[str, Any]) -> Entries:
    """Return the visible avatars of a scene."""
    return [(at, one) for at, one in clips_of(scene) if one.get("type") == AVATAR and one.get("isDelete") is not True]


def tag_of(clip: Mapping[str, Any]) -> str | None:
    """Return the label that somebody gave a clip in the editor, None without one."""
    tag = clip.get("tag")
    return tag.strip() or None if isinstance(tag, str) else None


def look_of(avatar: Mapping[str, Any]) -> Look | None:
    """Return model and clothes of an avatar, None if it names neither."""
    model = avatar.get("model")
    return _look(model.get("ai_name"), model.get("emotion")) if isinstance(model, dict) else None


@dataclass(frozen=True)
class Line:
    """What one avatar says: an entry of the scene's `scripts`, or the `script` of an avatar itself (the older form).

    `index` is the position among the scene's lines. `at` is the position of its entry in `scripts`; None: its words are
    in the avatar clip. `speakers` are the positions of the clips of the avatars that speak it; usually one.
    """

    index: int
    text: str
    at: int | None
    speakers: tuple[int, ...]
    synthetic: bool


def lines_of(scene: Mapping[str, Any]) -> list[Line]:
    """Return the lines of a scene, in the order in which they are spoken. `scripts` win over the avatars' own."""
    avatars = avatars_of(scene)
    scripts = entries(scene.get("scripts"))
    if scripts:
        speakers = _Speakers(avatars)
        return [
            Line(index, _words(script), at, speakers.of(script), script.get("isTTS") is True)
            for index, (at, script) in enumerate(scripts)
        ]
    own = [(at, avatar["script"]) for at, avatar in avatars if isinstance(avatar.get("script"), dict)]
    return [
        Line(index, _words(script), None, (at,), script.get("tts") is not None)
        for index, (at, script) in enumerate(own)
    ]


def tags_of(project: Mapping[str, Any]) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    """Yield the tag, scene, position and content of every clip that has a tag."""
    for scene_at, scene in scenes_of(project):
        for at, clip in clips_of(scene):
            tag = tag_of(clip)
            if tag is not None:
                yield tag, scene_at, at, clip


def _look(model: Any, clothes: Any) -> Look | None:
    return (model, clothes) if isinstance(model, str) and isinstance(clothes, str) else None


def _words(script: Mapping[str, Any]) -> str:
    words = script.get("org")
    return words if isinstance(words, str) else ""


class _Speakers:
    """The avatars of a scene by model and clothes, and by model alone."""

    def __init__(self, avatars: Entries) -> None:
        self.only = tuple(at for at, _ in avatars) if len(avatars) == 1 else ()
        self.by_look: dict[Any, tuple[int, ...]] = {}
        for at, avatar in avatars:
            look = look_of(avatar)
            for key in (look, look[0]) if look else ():
                known = self.by_look.get(key, ())
                if len(known) < _MOST_SPEAKERS:
                    self.by_look[key] = (*known, at)

    def of(self, script: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the avatars with the script's model and clothes, else with its model; without one, the only avatar."""
        model = script.get("modelId")
        if not isinstance(model, str):
            return self.only
        return self.by_look.get(_look(model, script.get("clothId"))) or self.by_look.get(model, ())
