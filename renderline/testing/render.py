"""One render of a test: its states and progress, and its public record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from renderline import contract
from renderline.testing.deliveries import iso
from renderline.testing.scenario import Scenario

END_STATES = frozenset({"delivered", "undelivered", "failed", "expired", "canceled"})


class FakeRender:
    """A render that goes through the states of a real one. `changed` is called after each change."""

    def __init__(
        self,
        render_id: str,
        request: Mapping[str, Any],
        scenario: Scenario,
        *,
        now: Callable[[], float],
        changed: Callable[[FakeRender], object],
    ) -> None:
        self.id, self.request, self.scenario = render_id, dict(request), scenario
        self._now, self._changed = now, changed
        self.state, self.progress = "", 0.0
        self.times: dict[str, str] = {}
        self.error: dict[str, Any] | None = None
        self.download_url: str | None = None
        self.stored_url: str | None = None
        self.polls = 0
        self.request_id: str | None = None
        hooks = self.request.get("hooks") or []
        self.hooks = [
            {"type": one["type"], "state": "pending", "attempts": 0, "error": None, "at": None} for one in hooks
        ]

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.state in END_STATES

    @property
    def deadline(self) -> float:
        """Seconds from its submission until it expires."""
        return float(self.request.get("deadline") or self.scenario.deadline)

    def go(self, state: str) -> None:
        """Enter a state."""
        self.state = state
        self.times[state] = iso(self._now())
        self._changed(self)

    def report(self, progress: float) -> None:
        """Record the vendor's progress, 0 to 100."""
        self.progress, self.polls = progress, self.polls + 1
        self._changed(self)

    def fail(self, state: str, code: str, message: str, origin: str) -> None:
        """End without a video."""
        self.error = {"code": code, "message": message, "origin": origin}
        self.go(state)

    def fields(self) -> dict[str, str]:
        """Return the fields that `wait_for` reads."""
        found = {"state": self.state, "progress": f"{self.progress:g}"}
        urls = {"stored_url": self.stored_url, "download_url": self.download_url}
        message = {"error_message": self.error["message"]} if self.error else {}
        return {**found, **{name: url for name, url in urls.items() if url}, **message}

    def record(self) -> dict[str, Any]:
        """Return the public record, with the fields of a real one."""
        submitted = "submitting" in self.times
        number = int(self.progress) if float(self.progress).is_integer() else self.progress
        return {
            "id": self.id,
            "kind": self.request["kind"],
            "name": self.request.get("name"),
            "tenant": self.request.get("tenant") or contract.DEFAULT_TENANT,
            "account": self.request.get("account") or "default",
            "accepted_by": "broker",
            "request_id": self.request_id,
            "priority": self.request.get("priority") or "normal",
            "state": self.state,
            "held": None,
            "stage": None,
            "progress": number,
            "project_id": self.id[:24] if submitted else None,
            "download_url": self.download_url,
            "stored_url": self.stored_url,
            "outputs": [],
            "credit": self.scenario.credit if self.download_url else None,
            "attempt": 1,
            "attempts": int(submitted),
            "polls": self.polls,
            "hooks": self.hooks,
            "error": self.error,
            "note": None,
            "warnings": [],
            "metadata": self.request.get("metadata") or {},
            "deadline": None,
            "forgotten": None,
            "times": dict(self.times),
            "history": [],
        }
