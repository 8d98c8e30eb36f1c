"""A render request that passed the door: normalised, immutable, and able to say whether another one means the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from renderline.payloads import with_defaults

from .soundness import canonical


@dataclass(frozen=True, kw_only=True)
class RenderRequest:
    """What a caller asked for, checked, with defaults filled in. Made by `load_request` or `from_json`.

    Its `repr` shows neither body, hooks nor metadata: scripts and addresses stay out of logs and tracebacks.
    """

    kind: str
    name: str
    account: str
    priority: str
    """"high", "normal" or "low"."""
    deadline: float | None
    """Seconds from submission until the render is given up; None: the deployment's default."""
    metadata: dict[str, Any] = field(repr=False)
    hooks: tuple[dict[str, Any], ...] = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    """The rest: the compact form (`orientation`, `resolution`, `scenes`), or `payload`, `project_id` and the like."""

    @property
    def project_id(self) -> str | None:
        """The existing project that the call acts on (kinds edit and export)."""
        return self.body.get("project_id")

    @property
    def template_id(self) -> str | None:
        """The template that the project is made from (kind template)."""
        return self.body.get("template_id")

    @property
    def resolution(self) -> str | None:
        """The resolution asked for, which an export by a second call must be given too; None: the vendor's default."""
        return self._option("resolution")

    @property
    def workspace_id(self) -> str | None:
        """The vendor workspace asked for, which an export by a second call must be given too."""
        return self._option("workspaceId")

    @property
    def webhook_url(self) -> str | None:
        """The caller's own `webhookUrl`, used where the gateway cannot be reached by the vendor."""
        return self._option("webhookUrl")

    def _option(self, name: str) -> str | None:
        return self.body.get("payload", self.body).get(name) or None

    def to_json(self) -> str:
        """Return the request as compact JSON with sorted keys; `from_json` gives it back."""
        return canonical(self._record())

    @classmethod
    def from_json(cls, text: str) -> RenderRequest:
        """Return the request that `to_json` gave as `text`; trusted, not checked again."""
        record = json.loads(text)
        return cls(**{**record, "hooks": tuple(record["hooks"])})

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex that two requests share if, and only if, they mean the same.

        Key order, defaults given explicitly and 1 for 1.0 make no difference.
        """
        meaning = {**self._record(), "body": with_defaults(self.kind, self.body)}
        return hashlib.sha256(canonical(_plain_numbers(meaning)).encode()).hexdigest()

    def _record(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "account": self.account,
            "priority": self.priority,
            "deadline": self.deadline,
            "metadata": self.metadata,
            "hooks": list(self.hooks),
            "body": self.body,
        }


def _plain_numbers(value: Any) -> Any:
    """Return `value` with floats that are whole numbers as ints, as RFC 8785 writes them."""
    if isinstance(value, dict):
        return {key: _plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
