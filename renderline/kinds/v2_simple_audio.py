"""Kind `v2_simple_audio`: a text spoken by an avatar's voice, through the older v2 API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import simple_apis
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.spoken_fields import V2Spoken
from renderline.kinds.v2_calls import poll_simple
from renderline.kinds.v2_simple_fields import FIELDS, NAMES
from renderline.kinds.v3_fields import optional
from renderline.validation.fields import Text

BODY: Final = V2Spoken.from_dict({**FIELDS, "clothes": Text(**optional(blank=True))}, name="V2SimpleAudio")
"""AI Studios v2 contract, simple audio. Its table requires `clothes`, and none of its samples has them."""


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v2().create_simple_audio(context.vendor_body()))


def _matches(body: Mapping[str, Any]) -> bool:
    return "v2" in simple_apis(body) and not body.keys() & {"clothes", "uppercut"}


# The v2 API has no drafts. A lost answer is found only by the webhook, which names the key.
_PLAN: Final = (Stage("create", _create, paid=True),)

KIND: Final = Kind(
    name="v2_simple_audio",
    matches=_matches,
    schema=BODY(),
    example={"language": "en", "text": "Hello.", "model": "M000004017"},
    fields=NAMES,
    webhook_field="webhook",
    defaults={},
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll_simple,
    inspect=None,
    api="v2",
)
