"""Schema of the v3 call that makes a project from a template, to be exported by a second call."""

from __future__ import annotations

from typing import Final

from .clips import optional
from .fields import Identifier, Text
from .project import NAME, RENDER_OPTIONS
from .structure import Vendor

TEMPLATE: Final = Vendor.from_dict(
    {
        "templateId": Identifier(required=True),
        "aiName": Text(**optional(blank=True)),
        "clothId": Text(**optional(blank=True)),
        "name": NAME,
        **RENDER_OPTIONS,  # of the export that follows
    },
    name="Template",
)
"""AI Studios v3 contract, create from template. The id stands in the URL path, not in the body."""
