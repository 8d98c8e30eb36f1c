"""Progress curves: where they begin and end, that they never fall, and their inverse."""

import pytest

from renderline.sandbox.curves import CURVES, share_when


@pytest.mark.parametrize("name", CURVES)
def test_curve_rises_from_0_to_1(name: str) -> None:
    points = [CURVES[name](step / 200) for step in range(201)]
    assert points[0] == 0.0
    assert points[-1] == 1.0
    assert points == sorted(points)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("done", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_share_when_finds_the_first_moment(name: str, done: float) -> None:
    curve = CURVES[name]
    share = share_when(curve, done)
    assert curve(share) >= done
    assert share == 0.0 or curve(share - 1e-6) < done or done == 0.0
