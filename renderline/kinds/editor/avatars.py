"""Another avatar in a scene: model and clothes, in the clip and in the lines that it speaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from renderline.kinds.editor.parts import Look, clips_of, entries, lines_of
from renderline.kinds.editor.unfit import Unfit, listed

LEFT_OUT: Final[Mapping[str, str]] = {
    "source_url": "the picture of the old avatar",
    "editor": "where head and body are in the old avatar's picture",
    "editorValue": "the same",
    "origin": "the size of the old avatar's picture",
    "deployImage": "the old avatar's pictures",
    "deploySize": "their sizes",
    "maskFile": "the outline of the old avatar's video",
}
"""The fields of an avatar's `model` that describe the old one, with the reason why a new one is sent without them.

No table documents them, and an avatar without them is what the compact form sends. `language` is kept unless the
request gives another: the words decide it, not the avatar. Place and size of the clip are kept too; `set` changes them.
"""


def replace_avatars(scene: Mapping[str, Any], wanted: Collection[int], avatar: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scene with another avatar in the clips at these positions, and in the lines that they speak.

    Raises Unfit if another avatar of the scene looks the same and keeps its look: whose lines are whose is not known.
    """
    found = dict(clips_of(scene))
    new = (avatar["model"], avatar["clothes"])
    moved: set[int] = set()
    for line in lines_of(scene):
        if line.at is None or not set(line.speakers) & set(wanted):
            continue
        if not set(line.speakers) <= set(wanted):
            twins = listed(f"clip {at}" for at in line.speakers)
            raise Unfit("avatar", f"cannot tell whose line {line.index} is, because these look the same: {twins}")
        moved.add(line.at)
    clips, scripts = list(scene["clips"]), list(scene.get("scripts") or ())
    for at in wanted:
        clips[at] = {**found[at], "model": _model(found[at].get("model"), avatar)}
    for at, script in entries(scripts):
        if at in moved:
            scripts[at] = _spoken_by(script, new)
    return {**scene, "clips": clips, **({"scripts": scripts} if moved else {})}


def _model(old: Any, avatar: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in old.items() if name not in LEFT_OUT} if isinstance(old, dict) else {}
    language = {"language": avatar["language"]} if avatar.get("language") else {}
    return {**kept, "ai_name": avatar["model"], "emotion": avatar["clothes"], **language}


def _spoken_by(script: dict[str, Any], look: Look) -> dict[str, Any]:
    # The contract wants both to equal those of the avatar clip.
    return {**script, "modelId": look[0], "clothId": look[1]}
