"""Poll pumps: a few messages for each account, one of which is always there while something is to be looked at."""

from harness.ledger import GRACE, LEASE


def test_an_old_ticket_does_nothing(driver):
    driver.accept()
    kick = driver.start()
    assert len(driver.claim_due(kick)) == 1
    _, ticket = driver.ledger.rest_pump("main", slot=kick.slot, ticket=kick.ticket, limit=64)
    for _ in range(2):
        assert driver.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=9, lease=LEASE) is None
        assert driver.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=9) is None
    assert driver.ledger.claim_due("main", slot=0, ticket=ticket, limit=9, lease=LEASE) is not None


def test_a_pump_retires_when_nothing_is_left(driver, rendering):
    driver.record_result(rendering, "done", url="https://v/1.mp4")
    (ticket,) = {int(driver.redis.hget("renderline:pump:main", "0:ticket"))}
    assert driver.ledger.rest_pump("main", slot=0, ticket=ticket, limit=64) is None
    assert driver.ledger.pumps() == []
    driver.accept("r2")
    assert driver.start("r2") is not None


def test_a_dead_pump_is_started_again(driver):
    driver.accept()
    lost = driver.start(look_in=5.0)  # a message that the broker lost
    driver.clock.forward(5.0 + GRACE - 1)
    assert driver.ledger.pumps() == []
    driver.clock.forward(2)
    (kick,) = driver.ledger.pumps()
    assert driver.ledger.pumps() == []
    assert kick.delay == 0.0
    assert driver.ledger.claim_due("main", slot=lost.slot, ticket=lost.ticket, limit=9, lease=LEASE) is None
    assert [look.id for look in driver.claim_due(kick)] == ["r1"]


def test_a_pump_that_died_at_work_is_started_again_after_its_lease(driver):
    driver.accept()
    driver.claim_due(driver.start())
    driver.clock.forward(LEASE - 1)
    assert driver.ledger.pumps() == []
    driver.clock.forward(2)
    (kick,) = driver.ledger.pumps()
    assert [look.id for look in driver.claim_due(kick)] == ["r1"]


def test_more_than_a_batch_gets_a_further_pump_which_retires_when_it_is_done(driver):
    kick = driver.start_all(*(f"r{index}" for index in range(5)))
    driver.clock.forward(kick.delay)
    first = driver.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=2, lease=LEASE)
    assert len(first.looks) == 2
    assert (first.more.slot, first.more.delay) == (1, 0.0)
    second = driver.ledger.claim_due("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    assert len(second.looks) == 2
    assert second.more.slot == 2
    third = driver.ledger.claim_due("main", slot=2, ticket=second.more.ticket, limit=2, lease=LEASE)
    assert len(third.looks) == 1
    assert third.more is None
    seen = [look.id for batch in (first, second, third) for look in batch.looks]
    assert sorted(seen) == [f"r{index}" for index in range(5)]
    assert driver.ledger.rest_pump("main", slot=2, ticket=second.more.ticket, limit=2) is None
    assert driver.ledger.rest_pump("main", slot=1, ticket=first.more.ticket, limit=2) is None
    assert driver.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=2) is not None


def test_there_is_a_limit_to_the_pumps_of_an_account(driver):
    kick = driver.start_all(*(f"r{index}" for index in range(20)))
    driver.clock.forward(kick.delay)
    slots, claimed = [], 0
    while kick:
        slots.append(kick.slot)
        batch = driver.ledger.claim_due("main", slot=kick.slot, ticket=kick.ticket, limit=1, lease=LEASE)
        claimed += len(batch.looks)
        kick = batch.more
    assert slots == list(range(8))
    assert claimed == 8
    ticket = int(driver.redis.hget("renderline:pump:main", "0:ticket"))
    assert driver.ledger.rest_pump("main", slot=0, ticket=ticket, limit=1)[0] == 0.0


def test_the_last_pump_does_not_retire_before_the_work(driver):
    """A further pump stays when the first one died, or nobody would look until the next sweep."""
    kick = driver.start_all(*(f"r{index}" for index in range(3)))
    driver.clock.forward(kick.delay)
    first = driver.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=2, lease=LEASE)
    for look in first.looks:
        driver.record_result(look, "done", url="https://v")
    driver.ledger.claim_due("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    # Slot 0 retires only with nothing to do, which is not the case, so it is made to by hand.
    driver.redis.hdel("renderline:pump:main", "0:at", "0:busy")
    assert driver.ledger.rest_pump("main", slot=1, ticket=first.more.ticket, limit=2) is not None


def test_accounts_have_pumps_of_their_own(driver):
    driver.accept("a", account="one")
    driver.accept("b", account="two")
    kicks = [driver.start("a"), driver.start("b")]
    assert [(kick.account, kick.slot) for kick in kicks] == [("one", 0), ("two", 0)]
    assert [look.id for look in driver.claim_due(kicks[0])] == ["a"]
    driver.clock.forward(LEASE + GRACE + 5)
    assert sorted(kick.account for kick in driver.ledger.pumps()) == ["one", "two"]


def test_ended_renders_are_taken_off_the_list_of_due_ones(driver):
    driver.accept()
    kick = driver.start()
    driver.redis.zadd("renderline:due:main", {"ghost": 1})
    assert [look.id for look in driver.claim_due(kick)] == ["r1"]
    assert driver.score_in("due:main", "ghost") is None
