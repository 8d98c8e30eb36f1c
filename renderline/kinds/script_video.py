"""Kind `script_video`: a v3 project that the vendor generates from a script, exported once it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.kinds.automation_calls import EXPORT_FIELDS, generate, generated
from renderline.kinds.automation_options import options
from renderline.kinds.kind import Kind
from renderline.kinds.v3_calls import get_project, poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, WORKSPACE
from renderline.validation.fields import Text
from renderline.validation.schemas import VendorSchema

BODY: Final = VendorSchema.from_dict(
    {"scripts": Text(required=True), "options": options(script_option=True), **RENDER_OPTIONS}, name="ScriptVideo"
)
"""AI Studios v3 contract, automation. The options of the export are sent with that."""


def _matches(body: Mapping[str, Any]) -> bool:
    return isinstance(body.get("scripts"), str) and body.keys() <= {"scripts", "options", "isExport", *EXPORT_FIELDS}


_PLAN: Final = generated(generate("scripts"))

KIND: Final = Kind(
    name="script_video",
    matches=_matches,
    schema=BODY(),
    example={"scripts": "Our shop opens at nine.", "options": {"scriptOption": "original", "speed": 1.1}},
    fields={"scripts": "scripts", "options": "options", "resolution": "resolution", **WORKSPACE},
    export_fields=EXPORT_FIELDS,
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
)
