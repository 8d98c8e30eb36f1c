"""Poll pumps: a few messages for each account, one of which is always there while something is to be polled."""

from harness.ledger import GRACE, LEASE


def test_an_old_ticket_does_nothing(driver):
    driver.accept()
    wake = driver.start()
    assert len(driver.claim_due_polls(wake)) == 1
    _, ticket = driver.ledger.sleep_pump("main", slot=wake.slot, ticket=wake.ticket, limit=64)
    for _ in range(2):
        assert driver.ledger.claim_due_polls("main", slot=0, ticket=wake.ticket, limit=9, lease=LEASE) is None
        assert driver.ledger.sleep_pump("main", slot=0, ticket=wake.ticket, limit=9) is None
    assert driver.ledger.claim_due_polls("main", slot=0, ticket=ticket, limit=9, lease=LEASE) is not None


def test_a_pump_retires_when_nothing_is_left(driver, rendering):
    driver.record_result(rendering, "done", url="https://v/1.mp4")
    (ticket,) = {int(driver.redis.hget("renderline:pump:main", "0:ticket"))}
    assert driver.ledger.sleep_pump("main", slot=0, ticket=ticket, limit=64) is None
    assert driver.ledger.restart_pumps() == []
    driver.accept("r2")
    assert driver.start("r2") is not None


def test_a_dead_pump_is_started_again(driver):
    driver.accept()
    lost = driver.start(poll_in=5.0)  # a message that the broker lost
    driver.clock.forward(5.0 + GRACE - 1)
    assert driver.ledger.restart_pumps() == []
    driver.clock.forward(2)
    (wake,) = driver.ledger.restart_pumps()
    assert driver.ledger.restart_pumps() == []
    assert wake.delay == 0.0
    assert driver.ledger.claim_due_polls("main", slot=lost.slot, ticket=lost.ticket, limit=9, lease=LEASE) is None
    assert [due_poll.id for due_poll in driver.claim_due_polls(wake)] == ["r1"]


def test_a_pump_that_died_at_work_is_started_again_after_its_lease(driver):
    driver.accept()
    driver.claim_due_polls(driver.start())
    driver.clock.forward(LEASE - 1)
    assert driver.ledger.restart_pumps() == []
    driver.clock.forward(2)
    (wake,) = driver.ledger.restart_pumps()
    assert [due_poll.id for due_poll in driver.claim_due_polls(wake)] == ["r1"]


def test_more_than_a_batch_gets_a_further_pump_which_retires_when_it_is_done(driver):
    wake = driver.start_all(*(f"r{index}" for index in range(5)))
    driver.clock.forward(wake.delay)
    first = driver.ledger.claim_due_polls("main", slot=0, ticket=wake.ticket, limit=2, lease=LEASE)
    assert len(first.polls) == 2
    assert (first.more.slot, first.more.delay) == (1, 0.0)
    second = driver.ledger.claim_due_polls("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    assert len(second.polls) == 2
    assert second.more.slot == 2
    third = driver.ledger.claim_due_polls("main", slot=2, ticket=second.more.ticket, limit=2, lease=LEASE)
    assert len(third.polls) == 1
    assert third.more is None
    seen = [due_poll.id for batch in (first, second, third) for due_poll in batch.polls]
    assert sorted(seen) == [f"r{index}" for index in range(5)]
    assert driver.ledger.sleep_pump("main", slot=2, ticket=second.more.ticket, limit=2) is None
    assert driver.ledger.sleep_pump("main", slot=1, ticket=first.more.ticket, limit=2) is None
    assert driver.ledger.sleep_pump("main", slot=0, ticket=wake.ticket, limit=2) is not None


def test_there_is_a_limit_to_the_pumps_of_an_account(driver):
    wake = driver.start_all(*(f"r{index}" for index in range(20)))
    driver.clock.forward(wake.delay)
    slots, claimed = [], 0
    while wake:
        slots.append(wake.slot)
        batch = driver.ledger.claim_due_polls("main", slot=wake.slot, ticket=wake.ticket, limit=1, lease=LEASE)
        claimed += len(batch.polls)
        wake = batch.more
    assert slots == list(range(8))
    assert claimed == 8
    ticket = int(driver.redis.hget("renderline:pump:main", "0:ticket"))
    assert driver.ledger.sleep_pump("main", slot=0, ticket=ticket, limit=1)[0] == 0.0


def test_the_last_pump_does_not_retire_before_the_work(driver):
    """A further pump stays when the first one died, or nobody would poll until the next sweep."""
    wake = driver.start_all(*(f"r{index}" for index in range(3)))
    driver.clock.forward(wake.delay)
    first = driver.ledger.claim_due_polls("main", slot=0, ticket=wake.ticket, limit=2, lease=LEASE)
    for due_poll in first.polls:
        driver.record_result(due_poll, "done", url="https://v")
    driver.ledger.claim_due_polls("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    # Slot 0 retires only with nothing to do, which is not the case, so it is made to by hand.
    driver.redis.hdel("renderline:pump:main", "0:at", "0:busy")
    assert driver.ledger.sleep_pump("main", slot=1, ticket=first.more.ticket, limit=2) is not None


def test_accounts_have_pumps_of_their_own(driver):
    driver.accept("a", account="one")
    driver.accept("b", account="two")
    wakes = [driver.start("a"), driver.start("b")]
    assert [(wake.account, wake.slot) for wake in wakes] == [("one", 0), ("two", 0)]
    assert [due_poll.id for due_poll in driver.claim_due_polls(wakes[0])] == ["a"]
    driver.clock.forward(LEASE + GRACE + 5)
    assert sorted(wake.account for wake in driver.ledger.restart_pumps()) == ["one", "two"]


def test_ended_renders_are_taken_off_the_list_of_due_ones(driver):
    driver.accept()
    wake = driver.start()
    driver.redis.zadd("renderline:due:main", {"ghost": 1})
    assert [due_poll.id for due_poll in driver.claim_due_polls(wake)] == ["r1"]
    assert driver.score_in("due:main", "ghost") is None
