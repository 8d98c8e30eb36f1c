"""The request bodies of the vendor's public pages, in `tests/unit/requests/corpus`."""

from __future__ import annotations

import json
from typing import Any, Final

from harness import ROOT
from renderline.kinds import KINDS

FOLDER: Final = ROOT / "tests/unit/requests/corpus"
PROJECT: Final = "65fa6b07dca2e367461a2925"


def rows() -> list[dict[str, Any]]:
    """Return every body with its `id`, `pages` (language, version, page), what was `mended`, `kind` and `expected`."""
    return [row for path in sorted(FOLDER.glob("*.json")) for row in json.loads(path.read_text())]


def supported() -> list[dict[str, Any]]:
    """Return those whose call a kind of render makes."""
    return [row for row in rows() if row["kind"] in KINDS]


def as_named_request(row: dict[str, Any], *, target: str = PROJECT) -> dict[str, Any]:
    """Return the request of a body. Its kind is named, and so is what the vendor has in the URL instead of the body."""
    kind = KINDS[row["kind"]]
    named = {kind.target[0]: target} if kind.target and kind.target[1] not in row["body"] else {}
    return {"kind": kind.name, "payload": row["body"], **named}
