"""The links between renders and the tasks that Flower has seen of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

_MOST = 50
_MOST_RENDERS = 5
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


class Seen(NamedTuple):
    """One task that Flower has seen."""

    uuid: str
    name: str
    state: str
    outcome: str
    at: float
    """When its last event was sent, in epoch seconds."""


def of_render(render_id: str, tasks: Iterable[tuple[str, Any]]) -> list[Seen]:
    """Return the newest tasks (id, Flower's task) that were about a render, the newest first."""
    found = [
        Seen(uuid, str(task.name or ""), str(task.state), str(task.result or ""), float(task.timestamp or 0.0))
        for uuid, task in tasks
        if render_id in f"{task.args} {task.kwargs} {task.result}"
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:_MOST]


def renders_of(task: Any) -> list[str]:
    """Return the ids of the renders that a task was about, a few of them if it polled many."""
    if not str(task.name or "").startswith("renderline."):
        return []
    return list(dict.fromkeys(_ID.findall(f"{task.args} {task.kwargs} {task.result}")))[:_MOST_RENDERS]
