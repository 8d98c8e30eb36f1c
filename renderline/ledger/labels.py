"""The labels of a render: the metadata of `RENDERLINE_LABELS`, as log lines and events of tasks show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

LONGEST_LABEL: Final = 100


def shown_labels(metadata: Mapping[str, Any], labels: Sequence[str]) -> dict[str, str]:
    """Return the metadata that `labels` name, each as a text of one line."""
    return {label: one_line(str(metadata[label]), LONGEST_LABEL) for label in labels if label in metadata}


def shown_json(shown: Mapping[str, str]) -> str:
    """Return labels as the record keeps them; without any it is empty."""
    return json.dumps(shown, separators=(",", ":")) if shown else ""


def load_labels(text: str | None) -> dict[str, str]:
    """Return labels as the record keeps them; none if it has none, or what cannot be read."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def log_labels(tenant: str, request_id: str | None, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return what every log line about a render says."""
    return {
        "tenant": tenant,
        **({"request_id": request_id} if request_id else {}),
        # In a field of their own: a producer chose the names, which may be those of other fields.
        **({"labels": dict(labels)} if labels else {}),
    }


def one_line(text: str, most: int) -> str:
    """Return a text on one line of at most `most` characters, each of them printable."""
    line = " ".join(text[: 4 * most].split())
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return shown if len(shown) <= most else shown[: most - 3] + "..."
