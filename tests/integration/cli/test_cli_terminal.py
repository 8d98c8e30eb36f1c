"""What commands show on a real terminal."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from harness import until
from harness.terminal import Terminal
from renderline.ledger import Ledger
from tests.acceptance.command_line import COMMAND
from tests.integration.cli.test_cli_submit_rows import TEMPLATE

COUNT = 12
LINES = 9


@pytest.fixture
def terminal(environ, tmp_path) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, **size: int) -> Terminal:
        started.append(Terminal([*COMMAND, *arguments], environ={**os.environ, **environ}, folder=tmp_path, **size))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def files(request_file):
    rows = "name,city,order\n" + "".join(f"N{at},Oslo,{at}\n" for at in range(COUNT))
    return ("--template", request_file(TEMPLATE, "body.json"), "--rows", request_file(rows, "people.csv"))


def test_more_renders_than_lines_share_one_bar_and_the_failures_come_last(terminal, files, redis: Redis):
    shown = terminal("submit", *files, "--key-from", "order", "--wait", lines=LINES, columns=100)
    until(lambda: f"{COUNT} accepted" in shown.text, what=shown)
    assert "on 127.0.0.1:" in shown.text
    ledger = Ledger(redis)
    first, *others = redis.zrange("renderline:renders", 0, -1)
    ledger.fail(first, code="50010", message="No credit", origin="vendor")
    until(lambda: re.search(r"failed  Welcome N\d+: No credit", shown.text), what="the failure")
    shown.resize(LINES, 40)
    until(lambda: "\x1b[2J" in shown.raw, what="drawn anew")
    for one in others:
        ledger.fail(one, code="1", message="Broken", origin="vendor")
    assert shown.end() == 1
    frames = shown.raw.split("\x1b[?25l")[1:-1]
    assert all(frame.count("\n") < LINES for frame in frames)
    assert "Traceback" not in shown.text
    _, cursor, ending = shown.raw.rpartition("\x1b[?25h")
    assert cursor, "the cursor is back"
    assert "\x1b[?25l" not in ending
    assert first in ending
    assert "No credit" in " ".join(ending.split())


def test_ctrl_c_says_what_goes_on_and_how_to_wait_for_it_again(terminal, files, redis: Redis):
    shown = terminal("submit", *files, "--key-from", "order", "--wait", lines=LINES)
    until(lambda: f"{COUNT} accepted" in shown.text, what=shown)
    shown.popen.send_signal(signal.SIGINT)
    assert shown.end() == 130
    last = shown.text.strip().splitlines()[-1]
    assert last == f"renderline: {COUNT} renders go on without this command; to watch: the same command"
    assert "\x1b[?25h" in shown.raw


def test_top_is_live_until_q(terminal, redis: Redis):
    shown = terminal("top", "--every", "0.5")
    until(lambda: "no renders" in shown.text, what="top")
    shown.type("p")
    until(lambda: "paused; p goes on" in shown.text, what="the pause")
    shown.type("pq")
    assert shown.end() == 0
    assert "Traceback" not in shown.text
