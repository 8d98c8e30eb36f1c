"""Kind `simple_video`: one avatar on a plain background for keying (v3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import simple_apis
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.spoken_fields import SPOKEN, SPOKEN_NAMES, V3Spoken
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, WORKSPACE, optional
from renderline.validation.fields import Object, Text

BODY: Final = V3Spoken.from_dict(
    {
        **SPOKEN,
        "clothes": Text(required=True),
        "ttsType": Object(**optional()),
        **RENDER_OPTIONS,
    },
    name="SimpleVideo",
)
"""AI Studios v3 contract, simple video."""


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_simple_video(context.vendor_body(), export=False))


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_simple_video(context.vendor_body(), export=True))


def _matches(body: Mapping[str, Any]) -> bool:
    return "clothes" in body and "v3" in simple_apis(body)


KIND: Final = Kind(
    name="simple_video",
    matches=_matches,
    schema=BODY(),
    example={"language": "en", "text": "Hello.", "model": "M000045058", "clothes": "BG00002320"},
    fields={**SPOKEN_NAMES, "clothes": "clothes", "resolution": "resolution", **WORKSPACE},
    two_phase=(Stage("draft", _draft), EXPORT),
    direct=(Stage("create", _create, paid=True),),
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
