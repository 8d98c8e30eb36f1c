"""A `replace` entry that does not fit the project, and what the project has instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from renderline.kinds.editor.parts import AVATAR, avatars_of, clips_of, tag_of, tags_of

_MOST: Final = 20
_LONGEST: Final = 60


class Unfit(ValueError):
    """A field of an entry does not fit the project: `field` is its name in the entry."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def shown(text: str) -> str:
    """Return a tag in quotes, short and without control characters."""
    one = "".join(character if character.isprintable() else "?" for character in text[: _LONGEST + 1])
    return f"'{one}'" if len(one) <= _LONGEST else f"'{one[:_LONGEST]}...'"


def listed(words: Iterable[str]) -> str:
    """Return the first words in one line, and how many more there are; `none` without any."""
    rest = iter(words)
    found = list(islice(rest, _MOST))
    left = sum(1 for _ in rest)
    return (", ".join(found) or "none") + (f" and {left} more" if left else "")


def known_tags(project: Mapping[str, Any]) -> str:
    """Return the tags of a project with the place of each."""
    return listed(
        f"{shown(tag)} (scene {scene} clip {at}, {kind_of(clip)})" for tag, scene, at, clip in tags_of(project)
    )


def known_clips(scene: Mapping[str, Any], kind: str | None = None) -> str:
    """Return the clips of a scene, all or those of one type, with their positions, types and tags."""
    found = avatars_of(scene) if kind == AVATAR else clips_of(scene)
    words = []
    for at, clip in found:
        if kind in (None, clip.get("type")):
            tag = tag_of(clip)
            words.append(f"{at} {kind_of(clip)}" + (f" {shown(tag)}" if tag else ""))
    return listed(words)


def kind_of(clip: Mapping[str, Any]) -> str:
    """Return the type of a clip for a message."""
    kind = clip.get("type")
    return kind[:_LONGEST] if isinstance(kind, str) and kind.isalnum() else "of no known type"
