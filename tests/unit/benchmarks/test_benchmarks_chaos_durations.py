"""How long renders took, by the fault at the time of the request."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.chaos.accounting import name_of
from benchmarks.chaos.durations import Durations, durations, quantile


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.95, 3.0), ([2.0, 1.0, 3.0, 4.0], 0.5, 2.0), (list(range(1, 101)), 0.95, 95)],
)
def test_quantiles(values: list[float], share: float, expected: float | None) -> None:
    assert quantile(values, share) == expected


def project(order: int, *, exported: float | None = None, completed: float | None = None) -> dict[str, Any]:
    return {"name": f"{name_of(order)} [x]", "exported_at": exported, "completed_at": completed}


def test_each_group_has_a_pace_of_its_own() -> None:
    asked = {0: 100.0, 1: 100.0, 2: 100.0}
    projects = [
        project(0, exported=101, completed=105),
        project(1),
        project(1, exported=110, completed=114),
        project(2),
    ]
    arrived = {(0, "/first"): 107.0, (0, "/second"): 106.0, (1, "/first"): 120.0}
    found = durations(asked, arrived, projects, group=lambda order: "even" if order % 2 == 0 else "odd")
    assert found == {
        "even": Durations(2, started_p95=1.0, hook_p50=2.0, hook_p95=2.0, delivered_p50=7.0, delivered_p95=7.0),
        "odd": Durations(1, started_p95=10.0, hook_p50=6.0, hook_p95=6.0, delivered_p50=None, delivered_p95=None),
    }
