"""What a new project takes over from one that was read back, and what is left out of it, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

LEFT_OUT: Final[Mapping[str, str]] = {
    "id": "the old project's id; a create makes a new one",
    "userId": "the owner; a create sets the account that calls",
    "templateId": "the template that the old project was made from; a create takes no template",
    "thumbnailUrl": "a picture of the old project; the scenes' own are kept",
    "baseInfoId": "the old project's version management",
    "state": "how far the old project came",
    "progress": "how far the old project came",
    "error": "why the render of the old project failed",
    "backendTaskId": "the old render's task: with it, evidence of that render would look like ours",
    "exportType": "how the old project was exported",
    "creditSubstracted": "what the old render cost",
    "creditSubtracted": "the same, spelled correctly",
    "createdAt": "when the old project was made",
    "updatedAt": "when the old project was changed",
    "download_url": "the old video: with it, the new project would look finished",
    "downloadUrl": "the same, as the progress answer spells it",
    "isExport": "an option of the call; Renderline sets it",
    "resolution": "an option of the call; the request sets it",
    "workspaceId": "an option of the call; the request sets it",
    "webhookUrl": "an option of the call: the old one would tell somebody else about our render",
}
"""The fields of a project that a create does not take, with the reason (AI Studios v3 contract, one project).

Fields that begin with `_`, such as `_id`, are the vendor's database's own. All others, and everything inside the
scenes, are sent as they were read: a field that we do not know may be the project's music.
"""

MAX_NAME: Final = 200

# Our tag at the end of the name of a project that a render made: 32 hex digits, attempt and draft.
_OUR_TAG: Final = re.compile(r"( \[[0-9a-f]{32}(\.\d+){0,2}\])+$")


def carried(project: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a create call takes over from a project. The parts are shared with `project`, not copied."""
    return {
        field: value
        for field, value in project.items()
        if field not in LEFT_OUT and not field.startswith("_") and value is not None
    }


def carried_name(project: Mapping[str, Any]) -> str | None:
    """Return the project's name on one line, without our tags; None if it has none."""
    name = project.get("name")
    if not isinstance(name, str):
        return None
    shown = "".join(character if character.isprintable() else " " for character in _OUR_TAG.sub("", name))
    return " ".join(shown.split())[:MAX_NAME].strip() or None
