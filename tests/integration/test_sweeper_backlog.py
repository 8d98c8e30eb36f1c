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

    def poll(self, wake):
        self.polled.append(wake)


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def sweep(driver, sent):
    """Sweep now, whenever the last sweep was."""

    def now(**options):
        driver.redis.delete("renderline:sweep")
        assert Sweeper(driver.ledger, driver.limits, sent, **{"every": 60.0, "retention": 1e9, **options}).sweep()

    return now


def test_a_backlog_does_not_hide_what_came_after_it(driver, sweep, sent):
    for number in range(MANY):
        driver.accept(f"a{number}", account=f"of{number}")
    driver.complete("b")
    driver.clock.forward(2 * GRACE)
    sweep()
    assert len(sent.submitted) == len(set(sent.submitted)) == MANY
    assert sent.hooked == ["b"]


def test_overdue_renders_that_nobody_polls_hide_no_other_deadline(driver, sweep, sent):
    for number in range(MANY):
        driver.accept(f"a{number}", account="unserved", deadline=100.0)
        driver.start(f"a{number}")
    driver.clock.forward(1.0)
    driver.accept("b", account="main", deadline=100.0, hooks=1)
    driver.start("b")
    driver.clock.forward(150.0)
    sweep()
    wake = next(wake for wake in sent.polled if wake.account == "main")
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "error", poll_in=1000.0, message="refused")
    driver.clock.forward(GRACE + 0.01)
    sweep()
    assert driver.state("b") == "expired"
    assert sent.hooked == ["b"]
    assert driver.state("a0") == "rendering"


def test_a_render_expires_on_time_though_its_poll_came_late(driver, sweep, sent):
    """The grace begins with the poll, and no sweep in between puts it off."""
    driver.accept(deadline=100.0)
    driver.start()
    driver.clock.forward(100.0)
    sweep()
    (wake,) = sent.polled
    driver.clock.forward(GRACE * 0.9)
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "error", poll_in=1000.0, message="no")
    for _ in range(9):
        driver.clock.forward(GRACE / 10)
        sweep()
    assert driver.state() == "rendering"
    driver.clock.forward(GRACE / 10 + 0.01)
    sweep()
    assert driver.state() == "expired"


def test_old_records_that_still_owe_hooks_hide_none_that_do_not(driver, sweep):
    for number in range(SWEPT_AT_ONCE + 5):
        driver.accept(f"owing{number}", hooks=1)
        driver.ledger.fail(f"owing{number}", code="1", message="no", origin="vendor")
    for number in range(MANY):
        driver.accept(f"done{number}")
        driver.ledger.fail(f"done{number}", code="1", message="no", origin="vendor")
    driver.clock.forward(1000.0)
    sweep(retention=500.0)
    assert driver.redis.zcard("renderline:renders") == SWEPT_AT_ONCE + 5


def test_what_breaks_one_part_of_the_sweep_does_not_stop_the_others(driver, sweep, sent):
    driver.accept("lost")
    driver.accept("b", hooks=1, deadline=5.0)
    (due_poll,) = driver.claim_due_polls(driver.start("b"))
    driver.record_result(due_poll, "wait", poll_in=1000.0)
    driver.clock.forward(10.0)
    sweep()
    (wake,) = sent.polled
    driver.claim_due_polls(wake)
    sent.submitted.clear()
    driver.clock.forward(2 * GRACE)
    sent.submit_all = lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        sweep()
    assert sent.hooked == ["b"]
    assert not driver.redis.exists("renderline:sweep:lock")


def test_a_sweeper_that_lost_its_turn_goes_no_further(driver, sweep, sent):
    for number in range(MANY):
        driver.accept(f"a{number}", account=f"of{number}")
    driver.clock.forward(2 * GRACE)
    send = sent.submit_all

    def frozen(renders):
        send(renders)
        driver.redis.set("renderline:sweep:lock", "another worker", px=60_000)

    sent.submit_all = frozen
    sweep()
    assert len(sent.submitted) == SWEPT_AT_ONCE
    assert driver.redis.get("renderline:sweep:lock") == "another worker", "released what was not its own"


def test_a_long_sweep_keeps_its_turn(driver, sweep, sent):
    for number in range(3 * SWEPT_AT_ONCE):
        driver.accept(f"a{number}", account=f"of{number}")
    driver.clock.forward(2 * GRACE)
    left, others, send = [], [], sent.submit_all

    def slow(renders):
        send(renders)
        if not renders:
            return
        left.append(driver.redis.pttl("renderline:sweep:lock"))
        driver.redis.pexpire("renderline:sweep:lock", 30_000)
        driver.redis.delete("renderline:sweep")
        others.append(Sweeper(driver.ledger, driver.limits, Sent(), every=60.0, retention=1e9).sweep())

    sent.submit_all = slow
    sweep(turn=60.0)
    assert len(sent.submitted) == 3 * SWEPT_AT_ONCE
    assert min(left) > 30_000, "not renewed between the batches"
    assert not any(others)


def test_pumps_of_many_accounts_are_all_started(driver, sweep, sent):
    names = [f"account{number}" for number in range(SWEPT_AT_ONCE + 5)]
    for name in names:
        driver.accept(name, account=name)
        driver.start(name)
    driver.clock.forward(LEASE + 2 * GRACE)
    sweep()
    assert sorted(wake.account for wake in sent.polled) == sorted(names)
