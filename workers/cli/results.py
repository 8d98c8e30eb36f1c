"""What came of steps taken on several renders: one line each, and the exit code that they give together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.text import Text

from workers.cli import views
from workers.cli.session import Session
from workers.cli.trouble import Code, complain, plain


@dataclass(frozen=True)
class Step:
    """One step: whether it was taken, the state of its render afterwards (empty: there is no such render), and why."""

    id: str
    done: bool
    state: str
    message: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` shows."""
        return {
            "id": self.id,
            "done": self.done,
            "state": self.state or None,
            "message": self.message or None,
            **self.more,
        }


def report(context: click.Context, session: Session, steps: Sequence[Step], *, single: bool = False) -> None:
    """Write what came of the steps, and end: 5 if something does not exist, 1 if a step did not apply, else 0.

    `single`: the command takes one render, so that its JSON is an object.
    """
    told = [step.as_json() for step in steps]
    session.answer(told[0] if single else told, lambda: _shown([step for step in steps if step.done]))
    for step in steps:
        if not step.done:
            complain(step.message or f"no render {step.id}")
    if any(not step.state for step in steps):
        context.exit(Code.NOT_FOUND)
    context.exit(Code.DONE if all(step.done for step in steps) else Code.FAILED)


def _shown(steps: Sequence[Step]) -> Text | None:
    lines = [
        Text.assemble(f"{step.id}  ", views.state_text(step.state), f"  {plain(step.message)}" if step.message else "")
        for step in steps
    ]
    return Text("\n").join(lines) if lines else None
