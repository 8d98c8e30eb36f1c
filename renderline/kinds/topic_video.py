"""Kind `topic_video`: a v3 project that the vendor generates from a topic, exported once it is made."""

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
    {"topic": Text(required=True), "options": options(), **RENDER_OPTIONS}, name="TopicVideo"
)
"""AI Studios v3 contract, automation. The options of the export are sent with that."""


def _matches(body: Mapping[str, Any]) -> bool:
    # The body of a generator may be a topic alone.
    return {"topic", "options"} <= body.keys() <= {"topic", "options", "isExport", *EXPORT_FIELDS}


_PLAN: Final = generated(generate("topic"))

KIND: Final = Kind(
    name="topic_video",
    matches=_matches,
    schema=BODY(),
    example={"topic": "What is K-culture?", "options": {"language": "en", "duration": 60, "media": "free"}},
    fields={"topic": "topic", "options": "options", "resolution": "resolution", **WORKSPACE},
    export_fields=EXPORT_FIELDS,
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
)
