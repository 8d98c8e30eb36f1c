"""Kind `simple_custom`: an avatar of the account's own on a plain background (v3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import simple_apis
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.spoken_fields import SPOKEN, SPOKEN_NAMES, V3Spoken
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, WORKSPACE

BODY: Final = V3Spoken.from_dict({**SPOKEN, **RENDER_OPTIONS}, name="SimpleCustom")
"""AI Studios v3 contract, simple custom. The avatar has one set of clothes, so the call names none."""

_OF_OTHERS: Final = frozenset({"clothes", "tts", "ttsType"})


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_simple_custom(context.vendor_body(), export=False))


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_simple_custom(context.vendor_body(), export=True))


def _matches(body: Mapping[str, Any]) -> bool:
    return "v3" in simple_apis(body) and not body.keys() & _OF_OTHERS


KIND: Final = Kind(
    name="simple_custom",
    matches=_matches,
    schema=BODY(),
    example={"language": "en", "text": "Hello.", "model": "my-avatar"},
    fields={**SPOKEN_NAMES, "resolution": "resolution", **WORKSPACE},
    two_phase=(Stage("draft", _draft), EXPORT),
    direct=(Stage("create", _create, paid=True),),
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
