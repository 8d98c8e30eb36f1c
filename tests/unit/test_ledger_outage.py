"""An outage costs one line when it begins and one when it ends, however often something fails in between."""

from __future__ import annotations

from structlog.testing import capture_logs

from renderline.ledger import Outage
from workers import housekeeping
from workers.housekeeping import Chore


def test_an_outage_is_two_warnings():
    outage = Outage("the broker")
    with capture_logs() as lines:
        outage.worked("publishing")
        for _ in range(5):
            outage.failed("publishing", "refused")
            outage.failed("sweep", "refused")
        outage.worked("publishing")
        outage.worked("sweep")
        outage.worked("sweep")
        outage.failed("sweep", "refused again")
    assert [line["event"] for line in lines] == ["outage began", "outage ended", "outage began"]
    assert {line["log_level"] for line in lines} == {"warning"}
    assert (lines[0]["why"], lines[1]["failures"], lines[2]["why"]) == ("refused", 10, "refused again")
    assert lines[1]["seconds"] >= 0


def test_chores_that_fail_every_second_log_an_outage_once(monkeypatch):
    monkeypatch.setattr(housekeeping, "_REDIS", Outage("Redis"))
    down = True

    def work() -> None:
        if down:
            raise OSError("no Redis")

    one, two = Chore("one", work, every=1.0), Chore("two", work, every=1.0)
    with capture_logs() as lines:
        for chore in (one, two, one, two):
            chore.run()
        down = False
        one.run()
        assert len(lines) == 1
        two.run()
    assert [line["event"] for line in lines] == ["outage began", "outage ended"]
