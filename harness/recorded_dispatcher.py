"""A dispatcher that publishes nothing and records its calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from renderline.ledger import PumpWake


class RecordedDispatcher:
    """Has the methods of `renderline.dispatcher.Dispatcher`; a test reads the lists."""

    def __init__(self) -> None:
        self.submitted: list[tuple[str, str]] = []
        self.wakes: list[PumpWake] = []
        self.hooked: list[str] = []
        self.sent_hooks: list[tuple[str, int]] = []
        self.changes: list[tuple[str, str]] = []
        self.unparked = 0

    def submit(self, render_id: str, priority: str) -> None:
        self.submitted.append((render_id, priority))

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        self.submitted += renders

    def poll(self, wake: PumpWake | None) -> None:
        if wake:
            self.wakes.append(wake)

    def hooks(self, render_id: str) -> None:
        self.hooked.append(render_id)

    def hooks_all(self, ids: Sequence[str]) -> None:
        self.hooked += ids

    def hook_messages(self, hooks: Sequence[tuple[str, int]]) -> None:
        self.sent_hooks += hooks

    def on_transition(self, changes: Sequence[tuple[str, str]]) -> None:
        self.changes += changes

    def unpark(self) -> None:
        self.unparked += 1

    def oldest(self) -> Mapping[str, str]:
        return {}
