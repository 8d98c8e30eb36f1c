"""How a file is sent: part by part, to the end that was announced, and not for ever to a reader that takes nothing."""

from __future__ import annotations

from io import BytesIO

import pytest

from harness.clock import Clock
from renderline.gateway.file_answer import parts_of

FILE = bytes(1_000_000)


def read(seconds: float, *, left: int = len(FILE)) -> int:
    """Return how many bytes a reader got that took so many seconds for each part."""
    clock, got = Clock(), 0
    for part in parts_of(BytesIO(FILE), left, clock=clock):
        got += len(part)
        clock.forward(seconds)
    return got


@pytest.mark.parametrize("seconds", [0, 1, 25])
def test_a_reader_that_takes_its_time_gets_all(seconds):
    assert read(seconds) == len(FILE)


def test_a_reader_that_takes_next_to_nothing_is_given_up():
    with pytest.raises(TimeoutError):
        read(70)


def test_no_more_is_sent_than_was_announced_and_a_file_that_became_shorter_is_no_whole_one():
    assert read(0, left=10) == 10
    with pytest.raises(OSError, match="shorter"):
        read(0, left=len(FILE) + 1)
