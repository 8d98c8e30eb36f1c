"""Fields that several kinds of the v3 API share, in the vendor body and at the top of the request."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields

from renderline.validation.fields import Boolean, Choice, Identifier, Text
from renderline.validation.validators import WebAddress

ORIENTATIONS: Final = ("landscape", "portrait")
MAX_NAME_LENGTH: Final = 200
ROUTE_WORDS: Final = frozenset({"export", "pptpdf", "modify", "duplicate", "name"})
"""What follows `/editor/project/` or `/editor/template/` in routes that are no project's."""


def optional(**options: Any) -> dict[str, Any]:
    """Return field options that accept null as absent, as the vendor's own bodies need."""
    return {"allow_none": True, **options}


class Resolution(Choice):
    """The height of the video. A number such as 1080 becomes the string that the vendor needs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(("4k", "1080", "720", "480"), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        given = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return super()._deserialize(given, attr, data, **kwargs)


class VendorId(Identifier):
    """The id of a project or template, which the vendor's routes have where others have a word of their own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(_no_route_word)


def _no_route_word(value: str) -> None:
    # A router may take either case: `POST /editor/project/Export` could be the export of another project.
    if value.lower() in ROUTE_WORDS:
        raise ValidationError(f"must be an id: '{value}' is a word of the vendor's own routes")


NAME: Final = Text(**optional(blank=True))
"""Of any length: the request's own name is what fits on one line of it."""
EXPORT_OPTIONS: Final[dict[str, fields.Field[Any]]] = {
    "resolution": Resolution(allow_none=True),
    "workspaceId": Text(**optional(blank=True)),
    "webhookUrl": Text(**optional(validate=[WebAddress()], blank=True)),
}
RENDER_OPTIONS: Final[dict[str, fields.Field[Any]]] = {**EXPORT_OPTIONS, "isExport": Boolean(allow_none=True)}

WORKSPACE: Final = {"workspace_id": "workspaceId", "workspaceId": "workspaceId"}
PROJECT_ID: Final = {"project_id": "projectId", "projectId": "projectId"}
TEMPLATE_ID: Final = {"template_id": "templateId", "templateId": "templateId"}
