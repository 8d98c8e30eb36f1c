"""A receiver that answers 503 for two hours, or is not there, gets everything without anybody's help."""

from __future__ import annotations

from typing import Literal

import pytest

from benchmarks.away_receiver import Plan, run

RENDERS = 15


@pytest.mark.parametrize("how", ["answers 503", "refuses connections"])
def test_it_gets_every_hook_once_without_an_operator(
    how: Literal["answers 503", "refuses connections"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENDERLINE_ENV_FILE", "")
    # The clock is shortened: two hours are five seconds.
    figures = run(Plan(renders=RENDERS, factor=1440.0, workers=1, how=how))
    assert figures["hooks given up"] == 0
    assert (figures["delivered"], figures["delivered twice"]) == (RENDERS, 0)
    assert figures["calls while away"] <= RENDERS * 13, "each hook kept to its schedule"
