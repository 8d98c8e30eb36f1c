"""Fields that both simple calls of the v2 API share, in the vendor body and at the top of the request."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from renderline.kinds.spoken_fields import SPOKEN, SPOKEN_NAMES
from renderline.kinds.v3_fields import EXPORT_OPTIONS, optional
from renderline.validation.fields import Text

FIELDS: Final[dict[str, fields.Field[Any]]] = {
    **SPOKEN,
    "locale": Text(**optional(blank=True)),
    "webhook": EXPORT_OPTIONS["webhookUrl"],
}
NAMES: Final = {**SPOKEN_NAMES, "clothes": "clothes", "locale": "locale"}
