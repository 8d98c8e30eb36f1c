"""Progress bars on a terminal: one each as long as they fit, otherwise one for all."""

import io

from rich.console import Console

from workers.cli.bars import Bars


def shown(count, states):
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=12)
    with Bars(console, count) as bars:
        bars.show([{"id": str(at), "name": f"render {at}", "state": state, "progress": 50} for at, state in states])
    return console.file.getvalue()


def test_a_few_renders_have_a_bar_each():
    text = shown(2, enumerate(["rendering", "delivered"]))
    assert "render 0" in text
    assert "render 1" in text


def test_more_than_the_screen_has_lines_share_one():
    text = shown(500, enumerate(["delivered"] * 300 + ["failed"] * 2 + ["rendering"] * 198))
    assert "render 0" not in text
    assert "500 renders" in text
    assert "198 rendering, 300 delivered, 2 failed" in text
    assert " 60 %" in text
