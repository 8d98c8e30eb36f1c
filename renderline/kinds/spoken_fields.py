"""Fields of the simple calls, in which one avatar speaks one text, in both APIs."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from marshmallow import ValidationError, fields, validates_schema

from renderline.validation.fields import Text
from renderline.validation.schemas import VendorSchema
from renderline.validation.weight import Guess

SPOKEN: Final[dict[str, fields.Field[Any]]] = {name: Text(required=True) for name in ("language", "text", "model")}
SPOKEN_NAMES: Final = {name: name for name in SPOKEN}


class V3Spoken(VendorSchema):
    """The body of a simple call of v3; warns of the webhook field that the v2 call alone has."""

    foreign: ClassVar = ("webhook", "is a field of the v2 API, which v3 does not document; its own is webhookUrl")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def has_no_webhook_of_the_other_api(self, _data: Any, body: Any, **_: Any) -> None:
        """Warn of a webhook that the vendor will hardly call."""
        name, text = self.foreign
        if isinstance(body, dict) and body.get(name) is not None:
            raise ValidationError({name: [Guess(text)]})


class V2Spoken(V3Spoken):
    """The body of a simple call of v2; warns of the webhook field that the v3 call alone has."""

    foreign: ClassVar = ("webhookUrl", "is a field of the v3 API, which v2 does not document; its own is webhook")
