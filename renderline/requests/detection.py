"""Kind detection: finds the kind of a bare vendor body and turns it into a render request."""

from __future__ import annotations

from typing import Any

from renderline.kinds import KINDS
from renderline.kinds.body_traits import simple_apis
from renderline.validation.errors import RequestRefused


def as_request(body: Any) -> dict[str, Any]:
    """Return a render request `{"kind": ..., "payload": body}` for a vendor body.

    A render request is returned as it is. The body is not checked; `load_request` does that. Raises RequestRefused if
    no kind matches the body, several do, or either API could be meant.
    """
    if not isinstance(body, dict):
        raise RequestRefused({"request": ["must be an object"]})
    if "kind" in body:
        return body
    matching = [name for name, kind in KINDS.items() if kind.matches(body)]
    if not matching:
        known = ", ".join(KINDS)
        raise RequestRefused({"request": [f"is neither a render request nor a vendor body of a known kind ({known})"]})
    if len(matching) > 1 or len(simple_apis(body)) > 1:
        raise RequestRefused({"kind": [f"is required: the body could be of the kinds {', '.join(matching)}"]})
    return {"kind": matching[0], "payload": body}
