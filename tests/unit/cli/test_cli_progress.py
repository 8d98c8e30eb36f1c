"""What is shown while many renders are waited for."""

import io
import re
from datetime import datetime

import pytest
from rich.console import Console
from rich.text import Text

from workers.cli.bars import Bars
from workers.cli.painter import Painter
from workers.cli.progress import Lines, Nothing, Screen, progress_of

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def record(one, state="rendering", progress=50, message=None):
    error = {"code": "50010", "message": message, "origin": "vendor"} if message else None
    return {
        **{"id": str(one), "name": f"render {one}", "state": state, "progress": progress},
        **{"error": error, "hooks": [], "note": None, "warnings": []},
    }


def terminal(width=100, height=12, **more):
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, **more)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("console", "count", "silent", "kind"),
    [
        (terminal(), 10, False, Bars),
        (terminal(), 11, True, Screen),
        (Console(file=io.StringIO()), 1, False, Lines),
        (Console(file=io.StringIO()), 1, True, Nothing),
    ],
)
def test_who_shows_it(console, count, silent, kind):
    assert isinstance(progress_of(console, count, silent=silent), kind)


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_of(terminal(), 1, silent=False), Lines)


def drawn(count, records, **size):
    console = terminal(**size)
    with Screen(console, count) as screen:
        screen.show(records)
    text = console.file.getvalue()
    return [line for line in ESCAPES.sub("", text).split("\n") if line]


def test_many_renders_share_one_bar_and_have_no_more_lines_than_the_screen():
    lines = drawn(500, [record(one, "delivered") for one in range(300)] + [record(one) for one in range(300, 500)])
    assert len(lines) <= 11
    assert "500 renders" in lines[0]
    assert "60 %" in lines[0]
    assert "200 rendering, 300 delivered" in lines[0]
    assert "render 499" in lines[2]
    assert not any("delivered" in line for line in lines[1:])


def test_failures_have_a_third_of_the_lines_and_their_reasons():
    failed = [record(one, "failed", message="No credit") for one in range(50)]
    lines = drawn(500, [*failed, *(record(one) for one in range(50, 500))])
    assert [line for line in lines if line.startswith("failed")] == [
        f"failed  render {one}: No credit" for one in (49, 48, 47)
    ]
    assert len(lines) == 11


def test_failures_take_the_lines_that_are_free():
    lines = drawn(500, [record(one, "failed", message="No credit") for one in range(50)])
    assert len([line for line in lines if line.startswith("failed")]) == 9


@pytest.mark.parametrize(("width", "height"), [(20, 5), (1, 1), (40, 3), (300, 80)])
def test_no_line_is_wider_than_the_terminal(width, height):
    names = [{**record(one), "name": "\u7530" * 60} for one in range(100)]
    lines = drawn(100, [*names, record("x", "failed", message="m" * 300)], width=width, height=height)
    assert len(lines) <= max(1, height - 1)
    assert all(Text(line).cell_len <= max(1, width - 1) for line in lines)


def test_colours_are_left_out_when_they_are_not_wanted(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    with Screen(console, 500) as screen:
        screen.show([record(1, "failed", message="no")])
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", console.file.getvalue())


def test_a_resized_terminal_is_drawn_anew():
    console = terminal()
    painter = Painter(console)
    painter.paint([Text("one"), Text("two")])
    painter.paint([Text("one"), Text("two")])
    assert "\x1b[2F" in console.file.getvalue()
    assert "\x1b[2J" not in console.file.getvalue()
    painter._sized = (50, 8)
    painter.paint([Text("x" * 80)])
    assert console.file.getvalue().endswith("\x1b[H\x1b[2J" + "x" * 48 + "\N{HORIZONTAL ELLIPSIS}\n")
    painter.wipe()
    assert console.file.getvalue().endswith("\x1b[?25h"), "the cursor is shown again"


def test_without_a_terminal_there_is_a_line_every_few_seconds_and_one_for_each_failure():
    clock, written = Clock(), []
    lines = Lines(100, write=written.append, clock=clock, wall=lambda: datetime(2026, 1, 2, 14, 31, 5))
    lines.show([record(one, "accepted") for one in range(100)])
    assert written == []
    clock.now = 2
    lines.show([record(7, "failed", message="No credit")])
    assert written == ["14:31:05 7 failed  render 7: No credit"]
    clock.now = 6
    lines.show([record(one, "delivered") for one in range(10, 20)])
    assert re.fullmatch(
        r"14:31:05 89 accepted, 10 delivered, 1 failed; 6 s, 110 renders/min, about 49 s left, until .*", written[1]
    )
    clock.now = 12
    lines.show([])
    assert len(written) == 2, "nothing has changed"
    clock.now = 70
    lines.show([])
    assert len(written) == 3, "but it is still there"
