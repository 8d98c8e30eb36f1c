"""A checked render request: normalised, immutable, and comparable with another by its fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from renderline.kinds import KINDS
from renderline.validation.json_limits import canonical_json


@dataclass(frozen=True, kw_only=True)
class RenderRequest:
    """A checked request with defaults filled in, made by `load_request`.

    Its `repr` shows neither body, hooks nor metadata: scripts and addresses stay out of logs and tracebacks.
    """

    kind: str
    name: str
    account: str
    priority: str
    """"high", "normal" or "low"."""
    deadline: float | None
    """Seconds from submission until the render expires; None: the deployment's default."""
    metadata: dict[str, Any] = field(repr=False)
    hooks: tuple[dict[str, Any], ...] = field(repr=False)
    tenant: str | None = field(default=None, repr=False)
    """As in the request; None: it names none. It is no part of the meaning: another tenant's key is another key."""
    body: dict[str, Any] = field(repr=False)
    """All other fields: the compact form (`orientation`, `resolution`, `scenes`), or `payload`, `project_id` and the
    like.
    """

    warnings: tuple[str, ...] = field(default=(), repr=False)
    """What was passed on although it may be wrong, as texts with paths. They are no part of the meaning."""

    def body_json(self) -> str:
        """Return the JSON of the body that the ledger stores; the other fields are stored separately."""
        return canonical_json({"body": self.body})

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex that is the same for requests with the same meaning.

        Key order, explicit defaults and 1 for 1.0 make no difference.
        """
        meaning = {
            "kind": self.kind,
            "name": self.name,
            "account": self.account,
            "priority": self.priority,
            "deadline": self.deadline,
            "metadata": self.metadata,
            "hooks": list(self.hooks),
            "body": KINDS[self.kind].with_defaults(self.body),
        }
        return hashlib.sha256(canonical_json(_plain_numbers(meaning)).encode()).hexdigest()


def load_body_json(text: str) -> dict[str, Any]:
    """Return the body that `body_json` wrote; ledgers of earlier versions hold it inside the whole request."""
    body: dict[str, Any] = json.loads(text)["body"]
    return body


def _plain_numbers(value: Any) -> Any:
    """Return `value` with floats that are whole numbers as ints, as RFC 8785 writes them."""
    if isinstance(value, dict):
        return {key: _plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
