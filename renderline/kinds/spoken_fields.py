"""Fields of the simple calls, in which one avatar speaks one text, in both APIs."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from renderline.validation.fields import Text

SPOKEN: Final[dict[str, fields.Field[Any]]] = {name: Text(required=True) for name in ("language", "text", "model")}
SPOKEN_NAMES: Final = {name: name for name in SPOKEN}
