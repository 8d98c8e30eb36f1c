"""The examples of the OpenAPI document with which its page, `/docs`, fills the fields of each call."""

from __future__ import annotations

from typing import Any, Final

from renderline.contract import render_id_for_key
from renderline.kinds import KINDS

KEY: Final = "an-example"
RENDER: Final = render_id_for_key(KEY)
"""The render that the example of `POST /v1/renders` makes: its id follows from the key."""
PROJECT: Final = "5e0d1706a0b1c2d3e4f50001"
"""A project of the sandbox, as the documentation names it."""
FIRST_KIND: Final = "project"
"""The kind that the page shows before one is chosen."""

_PARAMETERS: Final = {
    "index": (0, ""),
    "name": ("default", ""),
    "project_id": (PROJECT, "The example is a project of the sandbox."),
    "render_id": (RENDER, f"The example is the render that `POST /v1/renders` makes with the key `{KEY}`."),
}
"""By the name of a parameter in a path its example, and what is to be said about it."""

_REQUEST: Final = {"kind": FIRST_KIND, **KINDS[FIRST_KIND].example}
_BODIES: Final = {
    ("post", "/v1/renders/batch"): {"requests": [{"request": _REQUEST, "key": KEY}]},
    ("post", "/v1/renders/bulk"): {"action": "retry", "filter": {"state": "failed"}, "dry_run": True},
    ("post", "/v1/renders/{render_id}/adopt"): {"project_id": PROJECT},
    ("post", "/v1/renders/{render_id}/fail"): {"message": "not found at the vendor"},
    ("post", "/v1/renders/{render_id}/links"): {"expires_in": 3600},
    ("post", "/v1/renders/{render_id}/hold"): {"reason": "until Monday"},
}


def add_examples(document: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI document with examples for all that its calls need; the document is changed."""
    for path, item in document["paths"].items():
        _fill(item.get("parameters", []))
        for method, operation in item.items():
            if method != "parameters":
                _fill(operation.get("parameters", []))
                _fill_body(operation, _BODIES.get((method, path)))
    submit = document["paths"]["/v1/renders"]["post"]
    for one in submit["parameters"]:
        if one["in"] == "header":
            one["example"] = KEY
            one["description"] = f"{one.get('description', '')} Another request needs another key.".strip()
    examples = submit["requestBody"]["content"]["application/json"]["examples"]
    submit["requestBody"]["content"]["application/json"]["examples"] = {FIRST_KIND: examples[FIRST_KIND], **examples}
    upload = document["paths"]["/v1/uploads"]["post"]
    next(one for one in upload["parameters"] if one["name"] == "name")["example"] = "deck.pdf"
    return document


def _fill(parameters: list[dict[str, Any]]) -> None:
    for one in parameters:
        if one["in"] == "path" and one["name"] in _PARAMETERS:
            one["example"], about = _PARAMETERS[one["name"]]
            one["description"] = " ".join(filter(None, (one.get("description", ""), about)))


def _fill_body(operation: dict[str, Any], example: Any) -> None:
    if example is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = example
