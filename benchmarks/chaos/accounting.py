"""What a run amounts to: figures from what the vendor and the receiver saw, compared with what we say ourselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Fate = Literal["delivered", "failed", "stuck", "lost"]

HOOK_PATHS = ("/first", "/second")
"""Each render has two hooks, one after the other."""

_ORDER = re.compile(r"chaos-(\d+)\b")


def name_of(order: int) -> str:
    """Return the name of the render with this order number; the vendor's project keeps it."""
    return f"chaos-{order:05d}"


def order_of(name: str) -> int | None:
    """Return the order number in a vendor project's name, None if it has none."""
    found = _ORDER.search(name)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class Told:
    """What the system under test says of an accepted render at the end; `why` explains a failed or stuck one."""

    order: int
    fate: Fate
    project_id: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Figures:
    """The figures of one run."""

    asked: int
    asked_again: int
    accepted: int
    delivered: int
    failed: int
    lost: int
    stuck: int
    projects_created: int
    orphans_left: int
    exports_started: int
    exported_twice: int
    credits_charged: int
    credits_due: int
    hooks_delivered: int
    hooks_missing: int
    hooks_repeated: int
    token_calls: int
    vendor_calls: int
    worker_kills: int
    wall_seconds: float

    @property
    def sound(self) -> bool:
        """Return whether every promise held, and every request came in (the producer asks until it does)."""
        broken = self.lost or self.stuck or self.exported_twice or self.orphans_left or self.hooks_missing
        return not broken and self.accepted == self.asked

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name, and whether every promise held."""
        return {**asdict(self), "sound": self.sound}


def exports_of(projects: Iterable[Mapping[str, Any]]) -> Counter[int]:
    """Return how many renders the vendor started for each order number."""
    started: Counter[int] = Counter()
    for project in projects:
        order = order_of(project["name"])
        if order is not None:
            started[order] += int(project["exports"])
    return started


def orphans_of(projects: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of projects that were never exported and are still there: nobody will export or delete them."""
    return [project["id"] for project in projects if not project["exports"] and not project["deleted"]]


def figures(
    told: Iterable[Told],
    *,
    asked: int,
    asked_again: int,
    projects: Iterable[Mapping[str, Any]],
    taken: Mapping[tuple[tuple[int, str], str], int],
    counts: Mapping[str, int],
    kills: int,
    wall_seconds: float,
) -> Figures:
    """Count a run up.

    `told` has one entry per accepted render; `projects` and `counts` are the vendor's, `taken` the receiver's. A render
    counts as delivered only if the receiver took all its hooks; one that says so without that is missing hooks.
    """
    told, projects = list(told), list(projects)
    fates = Counter(one.fate for one in told)
    started = exports_of(projects)
    due = {(one.order, path) for one in told for path in HOOK_PATHS}
    arrived = {place for place, _ in taken}
    vendor = {call: count for call, count in counts.items() if "/_sandbox/" not in call and "/files/" not in call}
    return Figures(
        asked=asked,
        asked_again=asked_again,
        accepted=len(told),
        delivered=fates["delivered"],
        failed=fates["failed"],
        lost=fates["lost"],
        stuck=fates["stuck"],
        projects_created=len(projects),
        orphans_left=len(orphans_of(projects)),
        exports_started=sum(started.values()),
        exported_twice=sum(1 for count in started.values() if count > 1),
        credits_charged=sum(int(project["credits"]) for project in projects),
        credits_due=sum(1 for one in told if one.fate == "delivered"),
        hooks_delivered=len(arrived & due),
        hooks_missing=len(due - arrived),
        hooks_repeated=sum(1 for count in taken.values() if count > 1),
        token_calls=sum(count for call, count in vendor.items() if call.endswith("/auth/token")),
        vendor_calls=sum(vendor.values()),
        worker_kills=kills,
        wall_seconds=round(wall_seconds, 1),
    )
