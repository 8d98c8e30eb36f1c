"""Schema of the v3 call that makes a one-avatar video for keying (simple video)."""

from __future__ import annotations

from typing import Final

from .clips import optional
from .fields import Record, Text
from .project import RENDER_OPTIONS
from .structure import Vendor

SIMPLE_VIDEO: Final = Vendor.from_dict(
    {
        "language": Text(required=True),
        "text": Text(required=True),
        "model": Text(required=True),
        "clothes": Text(required=True),
        "ttsType": Record(**optional()),
        **RENDER_OPTIONS,
    },
    name="SimpleVideo",
)
"""AI Studios v3 contract, simple video."""
