"""A power cut of the Redis machine, with the append-only file that it leaves."""

from __future__ import annotations

from tests.acceptance.faults.power_cuts import run

CUTS = 20


def test_a_power_cut_exports_nothing_twice() -> None:
    found = run(CUTS, wait=True)
    assert not [one for one in found if one.twice]
    # Both sides of the wait were met, and the cuts took something.
    assert sum(one.exported_before for one in found) > 0
    assert sum(one.lost > 0 for one in found) >= CUTS // 2


def test_without_the_wait_a_power_cut_exports_renders_twice() -> None:
    assert [one for one in run(CUTS // 2, wait=False) if one.twice]
