"""Schema of the v3 call that edits a project and exports it."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from .clips import CONTENT, IDENTITY, PLACE, SPEECH
from .fields import Choice, Identifier, Text, Whole
from .project import RENDER_OPTIONS
from .scenes import BACKGROUND
from .structure import Many, Part, Variant, Vendor


class Spoken(Part):
    """The new script of an avatar: the samples send a plain string, the clip table describes an object."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            if not value.strip():
                raise ValidationError("may not be empty")
            return value
        return super()._deserialize(value, attr, data, *args, **kwargs)


def _values(kind: str) -> Schema:
    """Return the schema of the values to overwrite in a `kind`: its own fields, none of them required."""
    if kind == "background":
        return BACKGROUND(partial=True)
    content = {**IDENTITY, **PLACE, **CONTENT[kind]}
    if kind == "aiModel":
        content["script"] = Spoken(SPEECH, allow_none=True)
    return Vendor.from_dict(content, name=f"{kind}Values")(partial=True)


_UPDATES: Final[dict[str, Schema]] = {
    kind: Vendor.from_dict(
        {
            "sceneIdx": Whole(required=True, least=0),
            "type": Choice((*CONTENT, "background"), required=True),
            "values": Part(_values(kind), required=True),
        },
        name=f"{kind}Update",
    )()
    for kind in (*CONTENT, "background")
}
_LIST: Final = Many(Variant(_UPDATES), least=1)
_OBJECT: Final = Vendor.from_dict({"value": Many(Variant(_UPDATES), required=True, least=1)}, name="Updates")()


class Updates(fields.Field[Any]):
    """`{"value": [...]}`, or the bare list of the older samples, which becomes that object."""

    default_error_messages = Text.default_error_messages

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            return {"value": _LIST.deserialize(value)}
        return _OBJECT.load(value)


EDIT: Final = Vendor.from_dict(
    {"projectId": Identifier(required=True), "updates": Updates(required=True), **RENDER_OPTIONS}, name="Edit"
)
"""AI Studios v3 contract, edit and export. The id stands in the URL path, not in the body."""
