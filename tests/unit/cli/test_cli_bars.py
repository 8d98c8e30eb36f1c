"""Progress bars on a terminal, one for each of a few renders."""

import io

from rich.console import Console

from workers.cli.bars import Bars


def test_a_few_renders_have_a_bar_each():
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=12)
    with Bars(console) as bars:
        bars.show(
            [
                {"id": str(at), "name": f"render {at}", "state": state, "progress": 50}
                for at, state in enumerate(["rendering", "delivered"])
            ]
        )
    text = console.file.getvalue()
    assert "render 0" in text
    assert "render 1" in text
