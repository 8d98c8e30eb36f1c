"""Invalid messages for every queue."""

from __future__ import annotations

import json
import random
from collections import Counter

from benchmarks.chaos.poison import _in_turn, messages
from benchmarks.chaos.renderline import Renderline


def test_every_kind_goes_into_every_queue() -> None:
    thrown = _in_turn(Renderline.tasks, random.Random(1))
    kinds = len(messages("renderline.submit"))
    assert kinds >= 20
    assert Counter(queue for queue, _ in thrown) == dict.fromkeys(("requests", "submit", "poll", "hooks"), kinds)
    assert len(set(thrown)) == len(thrown)


def test_wrong_bodies_come_in_envelopes_that_are_right() -> None:
    envelope = json.loads(messages("renderline.submit")["body is a number"])
    assert envelope["headers"]["task"] == "renderline.submit"
    assert envelope["properties"]["delivery_tag"]
    assert envelope["body"] == "NQ=="
