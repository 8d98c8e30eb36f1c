"""The sweep under a backlog: it goes on until nothing is left, and much of one thing hides nothing else."""

import pytest

from harness.ledger import GRACE, LEASE
from renderline.ledger.sweep import SWEPT_AT_ONCE
from renderline.sweeper import Sweeper

MANY = 6 * SWEPT_AT_ONCE + 1


class Sent:
    """Keeps what is to be sent."""

    def __init__(self):
        self.submitted, self.hooked, self.polled = [], [], []

    def oldest(self):
        return {}

    def submit_all(self, renders):
        self.submitted += [one for one, _ in renders]

    def hooks_all(self, ids):
        self.hooked += ids

    def poll(self, kick):
        self.polled.append(kick)


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def sweep(book, sent):
    """Sweep now, whenever the last sweep was."""

    def now(**options):
        book.redis.delete("renderline:sweep")
        assert Sweeper(book.ledger, book.flow, sent, **{"every": 60.0, "retention": 1e9, **options}).sweep()

    return now


def test_a_backlog_does_not_hide_what_came_after_it(book, sweep, sent):
    for number in range(MANY):
        book.accept(f"a{number}", account=f"of{number}")
    book.completed("b")
    book.clock.forward(2 * GRACE)
    sweep()
    assert len(sent.submitted) == len(set(sent.submitted)) == MANY
    assert sent.hooked == ["b"]


def test_overdue_renders_that_nobody_looks_at_hide_no_other_deadline(book, sweep, sent):
    for number in range(MANY):
        book.accept(f"a{number}", account="unserved", deadline=100.0)
        book.started(f"a{number}")
    book.clock.forward(1.0)
    book.accept("b", account="main", deadline=100.0, hooks=1)
    book.started("b")
    book.clock.forward(150.0)
    sweep()
    kick = next(kick for kick in sent.polled if kick.account == "main")
    (look,) = book.look(kick)
    book.find(look, "error", look_in=1000.0, message="refused")
    book.clock.forward(GRACE + 0.01)
    sweep()
    assert book.state("b") == "expired"
    assert sent.hooked == ["b"]
    assert book.state("a0") == "rendering"


def test_a_render_expires_on_time_though_its_look_came_late(book, sweep, sent):
    """The grace begins with the look, and no sweep in between puts it off."""
    book.accept(deadline=100.0)
    book.started()
    book.clock.forward(100.0)
    sweep()
    (kick,) = sent.polled
    book.clock.forward(GRACE * 0.9)
    (look,) = book.look(kick)
    book.find(look, "error", look_in=1000.0, message="no")
    for _ in range(9):
        book.clock.forward(GRACE / 10)
        sweep()
    assert book.state() == "rendering"
    book.clock.forward(GRACE / 10 + 0.01)
    sweep()
    assert book.state() == "expired"


def test_old_records_that_still_owe_hooks_hide_none_that_do_not(book, sweep):
    for number in range(SWEPT_AT_ONCE + 5):
        book.accept(f"owing{number}", hooks=1)
        book.ledger.fail(f"owing{number}", code="1", message="no", origin="vendor")
    for number in range(MANY):
        book.accept(f"done{number}")
        book.ledger.fail(f"done{number}", code="1", message="no", origin="vendor")
    book.clock.forward(1000.0)
    sweep(retention=500.0)
    assert book.redis.zcard("renderline:renders") == SWEPT_AT_ONCE + 5


def test_what_breaks_one_part_of_the_sweep_does_not_stop_the_others(book, sweep, sent):
    book.accept("lost")
    book.accept("b", hooks=1, deadline=5.0)
    (look,) = book.look(book.started("b"))
    book.find(look, "wait", look_in=1000.0)
    book.clock.forward(10.0)
    sweep()
    (kick,) = sent.polled
    book.look(kick)
    sent.submitted.clear()
    book.clock.forward(2 * GRACE)
    sent.submit_all = lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        sweep()
    assert sent.hooked == ["b"]
    assert not book.redis.exists("renderline:sweep:lock")


def test_a_sweeper_that_lost_its_turn_goes_no_further(book, sweep, sent):
    for number in range(MANY):
        book.accept(f"a{number}", account=f"of{number}")
    book.clock.forward(2 * GRACE)
    send = sent.submit_all

    def frozen(renders):
        send(renders)
        book.redis.set("renderline:sweep:lock", "another worker", px=60_000)

    sent.submit_all = frozen
    sweep()
    assert len(sent.submitted) == SWEPT_AT_ONCE
    assert book.redis.get("renderline:sweep:lock") == "another worker", "handed back what was not its own"


def test_a_long_sweep_keeps_its_turn(book, sweep, sent):
    for number in range(3 * SWEPT_AT_ONCE):
        book.accept(f"a{number}", account=f"of{number}")
    book.clock.forward(2 * GRACE)
    left, others, send = [], [], sent.submit_all

    def slow(renders):
        send(renders)
        if not renders:
            return
        left.append(book.redis.pttl("renderline:sweep:lock"))
        book.redis.pexpire("renderline:sweep:lock", 30_000)
        book.redis.delete("renderline:sweep")
        others.append(Sweeper(book.ledger, book.flow, Sent(), every=60.0, retention=1e9).sweep())

    sent.submit_all = slow
    sweep(turn=60.0)
    assert len(sent.submitted) == 3 * SWEPT_AT_ONCE
    assert min(left) > 30_000, "not renewed between the batches"
    assert not any(others)


def test_pumps_of_many_accounts_are_all_started(book, sweep, sent):
    names = [f"account{number}" for number in range(SWEPT_AT_ONCE + 5)]
    for name in names:
        book.accept(name, account=name)
        book.started(name)
    book.clock.forward(LEASE + 2 * GRACE)
    sweep()
    assert sorted(kick.account for kick in sent.polled) == sorted(names)
