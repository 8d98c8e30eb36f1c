"""How long renders took, and whether renders without a fault had to wait for those with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.chaos.accounting import HOOK_PATHS, order_of
from benchmarks.chaos.hook_endpoint import HookCall


@dataclass(frozen=True)
class Durations:
    """Seconds that some renders took; None without any.

    From the request to the start at the vendor, from the end at the vendor to the first hook, and from the request to
    the last hook.
    """

    renders: int
    started_p95: float | None
    hook_p50: float | None
    hook_p95: float | None
    delivered_p50: float | None
    delivered_p95: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the values does not exceed, rounded to 0.01."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[max(0, -int(-share * len(ordered) // 1) - 1)], 2)


def durations(
    asked: Mapping[int, float],
    arrived: Mapping[HookCall, float],
    projects: Iterable[Mapping[str, Any]],
    *,
    group: Callable[[int], str],
) -> dict[str, Durations]:
    """Return the durations of each group of renders; `asked` and `arrived` are epoch seconds, as the vendor's times
    are.
    """
    started: dict[int, float] = {}
    ended: dict[int, float] = {}
    for project in projects:
        order = order_of(project["name"])
        if order is not None and project["exported_at"]:
            started[order] = project["exported_at"]
            if project["completed_at"]:
                ended[order] = project["completed_at"]
    groups: dict[str, list[int]] = {}
    for order in sorted(asked):
        groups.setdefault(group(order), []).append(order)
    return {name: _durations_of(orders, asked, arrived, started, ended) for name, orders in groups.items()}


def _durations_of(
    orders: Sequence[int],
    asked: Mapping[int, float],
    arrived: Mapping[HookCall, float],
    started: Mapping[int, float],
    ended: Mapping[int, float],
) -> Durations:
    first = HOOK_PATHS[0]
    starts = [started[one] - asked[one] for one in orders if one in started]
    hooks = [arrived[one, first] - ended[one] for one in orders if one in ended and (one, first) in arrived]
    came = {one: [arrived[one, path] for path in HOOK_PATHS if (one, path) in arrived] for one in orders}
    whole = [max(times) - asked[one] for one, times in came.items() if len(times) == len(HOOK_PATHS)]
    return Durations(
        renders=len(orders),
        started_p95=quantile(starts, 0.95),
        hook_p50=quantile(hooks, 0.5),
        hook_p95=quantile(hooks, 0.95),
        delivered_p50=quantile(whole, 0.5),
        delivered_p95=quantile(whole, 0.95),
    )
