"""The figures of a run: the vendor's and hook endpoints' counts, compared with the system's own report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Fate = Literal["delivered", "failed", "stuck", "lost"]

HOOK_PATHS = ("/first", "/second")
"""Each render has two hooks; a system may deliver them one after the other."""

MUST_BE_NONE = (
    "lost",
    "stuck",
    "exported_twice",
    "paid_in_vain",
    "orphans_left",
    "wrong_projects",
    "hooks_missing",
    "hooks_under_two_ids",
    "worker_deaths",
)
"""The figures that count broken promises."""

_ORDER = re.compile(r"chaos-(\d+)\b")


def name_of(order: int) -> str:
    """Return the name of the render with this order number; the vendor's project keeps it."""
    return f"chaos-{order:05d}"


def order_of(name: str) -> int | None:
    """Return the order number in a vendor project's name, None if it has none."""
    found = _ORDER.search(name)
    return int(found[1]) if found else None


def meets_hanging_endpoint(order: int) -> bool:
    """Return whether a render's first hook goes to the endpoint that hangs for a time: every fifth render's does."""
    return order % 5 == 1


@dataclass(frozen=True)
class Reported:
    """The final report of the system under test on an accepted render; `why` explains a failed or stuck one."""

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
    wrong_projects: int
    hooks_delivered: int
    hooks_missing: int
    hooks_under_two_ids: int
    hooks_repeated: int
    token_calls: int
    vendor_calls: int
    worker_kills: int
    worker_deaths: int
    wall_seconds: float

    @property
    def paid_in_vain(self) -> int:
        """Return the credits charged for renders that were not delivered."""
        return max(0, self.credits_charged - self.credits_due)

    @property
    def sound(self) -> bool:
        """Return whether every promise held and every request was accepted (the producer repeats until it is)."""
        return self.accepted == self.asked and not any(getattr(self, name) for name in MUST_BE_NONE)

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name, and whether every promise held."""
        return {**asdict(self), "paid_in_vain": self.paid_in_vain, "sound": self.sound}


def exports_of(projects: Iterable[Mapping[str, Any]]) -> Counter[int]:
    """Return how many renders the vendor started for each order number, over all its projects."""
    started: Counter[int] = Counter()
    for project in projects:
        order = order_of(project["name"])
        if order is not None:
            started[order] += int(project["exports"])
    return started


def twice(projects: Iterable[Mapping[str, Any]]) -> dict[int, list[str]]:
    """Return, for each render that the vendor started more than once, its projects and how often each was started."""
    projects = list(projects)
    found: dict[int, list[str]] = {order: [] for order, count in exports_of(projects).items() if count > 1}
    for project in projects:
        order = order_of(project["name"])
        if order in found:
            gone = ", deleted" if project["deleted"] else ""
            found[order].append(f"{project['id']} ({project['exports']}{gone})")
    return found


def orphans_of(projects: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of projects that were never exported and are still there."""
    return [project["id"] for project in projects if not project["exports"] and not project["deleted"]]


def misled(reported: Iterable[Reported], projects: Iterable[Mapping[str, Any]]) -> list[Reported]:
    """Return the delivered renders whose recorded project is not theirs, was never exported, or has been deleted."""
    theirs = {
        project["id"]: order_of(project["name"])
        for project in projects
        if project["exports"] and not project["deleted"]
    }
    named = [one for one in reported if one.fate == "delivered" and one.project_id is not None]
    return [one for one in named if theirs.get(one.project_id or "") != one.order]


def figures(
    reported: Iterable[Reported],
    *,
    asked: int,
    asked_again: int,
    projects: Iterable[Mapping[str, Any]],
    taken: Mapping[tuple[tuple[int, str], str], int],
    counts: Mapping[str, int],
    kills: int,
    deaths: int,
    wall_seconds: float,
) -> Figures:
    """Return the figures of a run.

    `reported` has one entry per accepted render; `projects` and `counts` are the vendor's, `taken` the hook endpoints'.
    A render counts as delivered only if the hook endpoints took all its hooks. A render that is only reported as
    delivered counts as missing hooks.
    """
    reported, projects = list(reported), list(projects)
    fates = Counter(one.fate for one in reported)
    started = exports_of(projects)
    due = {(one.order, path) for one in reported for path in HOOK_PATHS}
    arrived = {place for place, _ in taken}
    vendor = {call: count for call, count in counts.items() if "/_sandbox/" not in call and "/files/" not in call}
    return Figures(
        asked=asked,
        asked_again=asked_again,
        accepted=len(reported),
        delivered=fates["delivered"],
        failed=fates["failed"],
        lost=fates["lost"],
        stuck=fates["stuck"],
        projects_created=len(projects),
        orphans_left=len(orphans_of(projects)),
        exports_started=sum(started.values()),
        exported_twice=sum(1 for count in started.values() if count > 1),
        credits_charged=sum(int(project["credits"]) for project in projects),
        credits_due=sum(1 for one in reported if one.fate == "delivered"),
        wrong_projects=len(misled(reported, projects)),
        hooks_delivered=len(arrived & due),
        hooks_missing=len(due - arrived),
        hooks_under_two_ids=len(taken) - len(arrived),
        hooks_repeated=sum(1 for count in taken.values() if count > 1),
        token_calls=sum(count for call, count in vendor.items() if call.endswith("/auth/token")),
        vendor_calls=sum(vendor.values()),
        worker_kills=kills,
        worker_deaths=deaths,
        wall_seconds=round(wall_seconds, 1),
    )
