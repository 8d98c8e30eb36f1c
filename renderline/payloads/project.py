"""Schemas of the v3 calls on whole projects: create a project, export one that exists."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields

from .clips import optional
from .fields import Choice, Flag, Identifier, Record, Resolution, Text
from .scenes import SCENE
from .structure import Many, Part, Vendor

ORIENTATIONS: Final = ("landscape", "portrait")
LONGEST_NAME: Final = 200
NAME_PATTERN: Final = r"[^\x00-\x1f\x7f]*"
NAME_RULE: Final = "may not contain control characters"


class Rendered(Flag):
    """`isExport`: false would ask for a draft, which no render request means."""

    def check(self, value: Any) -> None:
        """Raise ValidationError unless `value` is true."""
        super().check(value)
        if not value:
            raise ValidationError("must be true or left out: a render request is always rendered")


NAME: Final = Text(**optional(blank=True, longest=LONGEST_NAME, pattern=NAME_PATTERN, rule=NAME_RULE))
EXPORT_OPTIONS: Final[dict[str, fields.Field[Any]]] = {
    "resolution": Resolution(allow_none=True),
    "workspaceId": Text(**optional(blank=True)),
    "webhookUrl": Text(**optional(blank=True)),
}
RENDER_OPTIONS: Final[dict[str, fields.Field[Any]]] = {**EXPORT_OPTIONS, "isExport": Rendered(allow_none=True)}

PROJECT: Final = Vendor.from_dict(
    {
        "name": NAME,
        "orientation": Choice(ORIENTATIONS, allow_none=True),
        "scenes": Many(Part(SCENE), required=True, least=1),
        "dictionary": Record(**optional()),
        **RENDER_OPTIONS,
    },
    name="Project",
)
"""AI Studios v3 contract, create project."""

EXPORT: Final = Vendor.from_dict({"projectId": Identifier(required=True), **EXPORT_OPTIONS}, name="Export")
"""AI Studios v3 contract, export project."""
