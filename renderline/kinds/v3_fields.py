"""Fields that several kinds of the v3 API share, in the vendor body and at the top of the request."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields
from marshmallow.validate import Equal

from renderline.validation.fields import Boolean, Choice, Text
from renderline.validation.validators import ONE_LINE, MaxLength

ORIENTATIONS: Final = ("landscape", "portrait")
MAX_NAME_LENGTH: Final = 200


def optional(**options: Any) -> dict[str, Any]:
    """Return field options that accept null as absent, as the vendor's own bodies need."""
    return {"allow_none": True, **options}


class Resolution(Choice):
    """The height of the video. A number such as 1080 becomes the string that the vendor needs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(("4k", "1080", "720", "480"), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


NAME: Final = Text(**optional(blank=True, validate=[MaxLength(MAX_NAME_LENGTH), ONE_LINE]))
EXPORT_OPTIONS: Final[dict[str, fields.Field[Any]]] = {
    "resolution": Resolution(allow_none=True),
    "workspaceId": Text(**optional(blank=True)),
    "webhookUrl": Text(**optional(blank=True)),
}
_EXPORTED: Final = Equal(True, error="must be true or left out: a render request is always rendered")
RENDER_OPTIONS: Final[dict[str, fields.Field[Any]]] = {
    **EXPORT_OPTIONS,
    "isExport": Boolean(allow_none=True, validate=_EXPORTED),
}

WORKSPACE: Final = {"workspace_id": "workspaceId", "workspaceId": "workspaceId"}
PROJECT_ID: Final = {"project_id": "projectId", "projectId": "projectId"}
TEMPLATE_ID: Final = {"template_id": "templateId", "templateId": "templateId"}
