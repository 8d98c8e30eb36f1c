"""The hook endpoint that fails a share of the calls counts only what it took."""

from __future__ import annotations

from typing import Any

from benchmarks.chaos.hook_endpoint import Tally


def body(order: int) -> dict[str, Any]:
    return {"data": {"metadata": {"order": str(order)}}}


def test_what_is_refused_is_not_taken() -> None:
    tally = Tally(fails=0.3, seed=1)
    answers = [tally.take("/first", f"m{order}", body(order)) for order in range(400)]
    assert set(answers) == {204, 500}
    assert tally.calls == 400
    assert tally.refused == answers.count(500)
    assert 80 < tally.refused < 160
    assert set(tally.arrived()) == {(order, "/first") for order, answer in enumerate(answers) if answer == 204}


def test_the_same_id_taken_twice_is_seen() -> None:
    tally = Tally(fails=0.0, seed=1)
    for webhook_id in ("a", "a", "b"):
        tally.take("/first", webhook_id, body(5))
    assert tally.taken() == {((5, "/first"), "a"): 2, ((5, "/first"), "b"): 1}
