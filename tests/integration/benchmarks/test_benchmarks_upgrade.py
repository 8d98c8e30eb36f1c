"""Workers of this version and of the next one share the queues; `python -m benchmarks.upgrade` rolls 500 renders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.upgrade.__main__ import held
from benchmarks.upgrade.fleet import fleet
from benchmarks.upgrade.future import KIND, future_copy
from harness import ROOT, until


def test_what_the_next_version_adds_is_left_to_its_workers_and_nothing_is_lost_or_paid_twice(tmp_path: Path) -> None:
    future = future_copy(tmp_path / "future")
    with fleet(tmp_path, render_seconds=0.5) as system, ThreadPoolExecutor(2) as both:
        old, new = both.map(lambda version: system.start(version, shared=True), (ROOT, future))
        assert "settings of a later version ignored" in old.output() + new.output()
        system.send("project", range(10))
        system.send(KIND, range(10))
        # A request on its way to the ledger is not promised yet.
        until(lambda: None not in system.states().values(), what="all are accepted")
        successor = both.submit(system.start, future, shared=True)
        new.kill()
        successor.result()
        system.wait(seconds=180.0)
        outcome = system.outcome([ROOT])
        about_newer = system.lines(newer=False, older=[ROOT])
    assert held(outcome), outcome
    assert outcome["of the new kind"] == 10
    assert outcome["log lines of newer workers about them"] > 0
    assert about_newer == []
