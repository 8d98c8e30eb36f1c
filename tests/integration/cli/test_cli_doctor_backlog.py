"""What only a person can mend is told by `renderline doctor`, and does not pile up."""

from __future__ import annotations

import pytest

from harness.ledger import LEASE, Book
from renderline.ledger import Queries
from workers.cli.checks import backlog
from workers.cli.checks.finding import PollResult

ONE = "a" * 32


def told(book: Book, check: str) -> list[PollResult]:
    return [one for one in backlog.check(book.ledger, Queries(book.ledger), book.operations) if one.check == check]


def alarm(book: Book, one: str, *, attempt: int = 1) -> None:
    """Have the vendor call about a render's first draft after that was revoked."""
    (look,) = book.look(book.started(one, confirmed=False))
    assert book.ledger.announce_revocation(one, epoch=look.epoch, project_id=f"p-{one}")
    assert book.find(look, "revoked", project_id=f"p-{one}") == [(one, "submitting")]
    assert book.operations.hint(one, progress=100.0, attempt=attempt, draft=1)[0] == "revoked"


def test_a_rendered_revoked_draft_is_shown_by_the_doctor(book: Book) -> None:
    assert [one.verdict for one in told(book, "alarms")] == ["ok"]
    book.accept(ONE)
    alarm(book, ONE)
    (found,) = told(book, "alarms")
    assert found.verdict == "warn"
    assert f"render {ONE}, attempt 1, draft 1, tag [{ONE}]" in found.detail
    assert "credit" in found.advice


def test_the_tag_of_an_alarm_is_the_one_in_the_projects_name(book: Book) -> None:
    book.accept(ONE)
    assert book.ledger.fail(ONE, code="", message="no", origin="vendor")
    assert book.operations.retry(ONE)
    alarm(book, ONE, attempt=2)
    (found,) = told(book, "alarms")
    assert f"attempt 2, draft 1, tag [{ONE}.2]" in found.detail


def test_alarms_do_not_pile_up(book: Book) -> None:
    old = {f"{index:032x}.1.1": book.clock.now - 5000 + index for index in range(1100)}
    book.redis.zadd("renderline:alarms", old)
    book.accept(ONE)
    alarm(book, ONE)
    assert book.redis.zcard("renderline:alarms") == 1000
    assert book.operations.alarms(limit=1)[0].render_id == ONE, "the newest is kept"
    findings = told(book, "alarms")
    assert len(findings) == 6
    assert findings[-1].detail == "995 more"
    book.ledger.forget(retention=1000.0)
    assert [one.render_id for one in book.operations.alarms()] == [ONE], "kept for longer than a record"
    book.clock.forward(1001.0)
    book.ledger.forget(retention=1000.0)
    assert book.operations.alarms() == []


@pytest.mark.parametrize("state", ["away", "well"])
def test_an_account_in_an_outage_is_shown_by_the_doctor(book: Book, state: str) -> None:
    book.accept()
    book.started()
    for _ in range(3):
        book.flow.call_failed("main", failures=3 if state == "away" else 4, pause=10.0)
    assert [one.verdict for one in told(book, "account main")] == (["warn"] if state == "away" else [])
    book.operations.resume("main")
    assert told(book, "account main") == []


def test_an_account_without_credit_is_shown_by_the_doctor(book: Book) -> None:
    book.accept()
    book.flow.hold("main", reason="not enough credits", seconds=300.0)
    (found,) = told(book, "account main")
    assert (found.verdict, "not enough credits" in found.detail) == ("warn", True)
    assert "resume" in found.advice


def test_an_account_that_no_worker_knows_is_shown_by_the_doctor(book: Book) -> None:
    book.accept()
    book.ledger.serve(["account:main"])
    assert [one.verdict for one in told(book, "unknown accounts")] == ["ok"]
    book.accept("r2", account="new")
    assert book.ledger.begin_submission("r2", lease=LEASE, known=("main",)) is None
    (found,) = told(book, "unknown accounts")
    assert (found.verdict, found.detail.endswith(": new")) == ("warn", True)


def test_a_record_that_was_set_aside_is_shown_by_the_doctor(book: Book) -> None:
    book.accept()
    book.redis.delete("renderline:render:r1")
    book.redis.set("renderline:render:r1", "no hash")
    book.clock.forward(31)
    book.ledger.silent()
    assert [one.verdict for one in told(book, "quarantine")] == ["warn"]
