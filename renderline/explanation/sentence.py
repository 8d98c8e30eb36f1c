"""Explains one render in a sentence: why it is not done yet, or how it ended. A pure function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from renderline.ledger.conditions import Condition


class Explanation(NamedTuple):
    """Why a render is not done yet, or how it ended. Each of the three may be empty."""

    sentence: str
    """Why it is not done yet, or what it ended with."""
    ends: str
    """What ends the wait, and when."""
    action: str
    """What a person can do, such as a command."""


def explain(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation:
    """Return the explanation of a public record in this condition; `now` is epoch seconds of the ledger's clock."""
    if held := record.get("held"):
        return Explanation(f"Held by {held['by']}.", "", f"renderline release {record['id']}")
    if record["error"]:
        return Explanation(f"{record['state'].capitalize()}: {record['error']['message']}", "", "")
    return Explanation(f"{record['state'].capitalize()}.", "", "")
