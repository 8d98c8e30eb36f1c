"""Kind `audio`: a text spoken by an avatar's voice, without a picture (v3).

The vendor answers the call with the file. There is no draft, no project and no webhook, so a call whose answer is lost
leaves no trace: its render stays `unconfirmed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import simple_apis
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.spoken_fields import SPOKEN, SPOKEN_NAMES
from renderline.kinds.v3_calls import poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, optional
from renderline.validation.fields import Object
from renderline.validation.schemas import VendorSchema

BODY: Final = VendorSchema.from_dict({**SPOKEN, "tts": Object(**optional())}, name="Audio")
"""AI Studios v3 contract, simple audio. `tts` is in older tables only."""


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(url=clients.use_v3().create_audio(context.vendor_body()).url)


def _matches(body: Mapping[str, Any]) -> bool:
    return "v3" in simple_apis(body) and not body.keys() & {"clothes", "ttsType", *RENDER_OPTIONS}


_PLAN: Final = (Stage("create", _create, paid=True, slow=True),)

KIND: Final = Kind(
    name="audio",
    matches=_matches,
    schema=BODY(),
    example={"language": "en", "text": "Hello.", "model": "M000045058"},
    fields={**SPOKEN_NAMES, "tts": "tts"},
    webhook_field=None,
    defaults={},
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=None,
)
