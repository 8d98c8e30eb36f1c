"""A call plan: the vendor calls of a kind, in order, with their arguments and results.

Free stages come first and may be repeated. The last stage is the paid one; it is called once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from renderline.accounts.clients import AccountClients


@dataclass
class CallContext:
    """The arguments of the stages of one render."""

    body: Mapping[str, Any]
    """The checked body of the request."""
    vendor_body: Callable[[], dict[str, Any]]
    """Builds the vendor body."""
    webhook_url: str | None
    """Our URL for the vendor's webhooks; None if the vendor cannot reach the gateway."""
    project_id: str | None
    """The project made by an earlier stage."""

    def named_project(self) -> str:
        """Return the project that the request names. Raises LookupError if it names none."""
        return self._required("project_id", "the request names no project")

    def named_template(self) -> str:
        """Return the template that the request names. Raises LookupError if it names none."""
        return self._required("template_id", "the request names no template")

    def project(self) -> str:
        """Return the project made by an earlier stage, else the one that the request names."""
        return self.project_id or self.named_project()

    def export_options(self) -> dict[str, Any]:
        """Return the options of the export call. Without a webhook URL of ours, the caller's own is used."""
        given = self.body.get("payload", self.body)
        return {
            "resolution": given.get("resolution") or None,
            "workspace_id": given.get("workspaceId") or None,
            "webhook_url": self.webhook_url or given.get("webhookUrl") or None,
        }

    def _required(self, name: str, error: str) -> str:
        found = self.body.get(name)
        if not found:
            raise LookupError(error)
        return str(found)


@dataclass(frozen=True)
class CallResult:
    """The result of a stage: the project that it made or changed, and the baseline."""

    project_id: str | None = None
    baseline: str | None = None


@dataclass(frozen=True)
class Stage:
    """One vendor call of a plan."""

    name: str
    call: Callable[[AccountClients, CallContext], CallResult]
    paid: bool = False
    findable: bool = False
    """Whether a project that it made can be found by name if the response is lost."""
