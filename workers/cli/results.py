"""Results of operations on several renders: one line each, and one exit code for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.text import Text

from workers.cli import views
from workers.cli.errors import ExitCode, plain, print_error
from workers.cli.session import Session


@dataclass(frozen=True)
class Step:
    """The result of one operation. `state` is the render's state afterwards, empty if it does not exist."""

    id: str
    done: bool
    state: str
    message: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "id": self.id,
            "done": self.done,
            "state": self.state or None,
            "message": self.message or None,
            **self.more,
        }


def report(context: click.Context, session: Session, steps: Sequence[Step], *, single: bool = False) -> None:
    """Write the results and end with an exit code: 5 if something was not found, 1 if a step did not apply, else 0.

    `single`: the command takes one render, so its JSON is an object.
    """
    shown = [step.as_json() for step in steps]
    session.answer(shown[0] if single else shown, lambda: _shown([step for step in steps if step.done]))
    for step in steps:
        if not step.done:
            print_error(step.message or f"no render {step.id} on {session.redis_name}")
    if any(not step.state for step in steps):
        context.exit(ExitCode.NOT_FOUND)
    context.exit(ExitCode.DONE if all(step.done for step in steps) else ExitCode.FAILED)


def _shown(steps: Sequence[Step]) -> Text | None:
    lines = [
        Text.assemble(f"{step.id}  ", views.state_text(step.state), f"  {plain(step.message)}" if step.message else "")
        for step in steps
    ]
    return Text("\n").join(lines) if lines else None
