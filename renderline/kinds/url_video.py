"""Kind `url_video`: a v3 project that the vendor generates from a web page, exported once it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.kinds.automation_calls import EXPORT_FIELDS, generate, generated
from renderline.kinds.automation_options import options
from renderline.kinds.kind import Kind
from renderline.kinds.source_page import page_check, web_address
from renderline.kinds.v3_calls import get_project, poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, WORKSPACE
from renderline.validation.schemas import VendorSchema

BODY: Final = VendorSchema.from_dict(
    {"url": web_address(required=True), "options": options(), **RENDER_OPTIONS}, name="UrlVideo"
)
"""AI Studios v3 contract, automation. The options of the export are sent with that."""


def _matches(body: Mapping[str, Any]) -> bool:
    # A URL alone may be what is to be dubbed.
    return {"url", "options"} <= body.keys() <= {"url", "options", "isExport", *EXPORT_FIELDS}


_PLAN: Final = generated(page_check("url"), generate("url"))

KIND: Final = Kind(
    name="url_video",
    matches=_matches,
    schema=BODY(),
    example={"url": "https://example.com/news/opening", "options": {"language": "ko", "voiceOnly": True}},
    fields={"url": "url", "options": "options", "resolution": "resolution", **WORKSPACE},
    export_fields=EXPORT_FIELDS,
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
)
