"""Poll pumps: a few messages for each account, one of which is always there while something is to be looked at."""

from harness.ledger import GRACE, LEASE


def test_an_old_ticket_does_nothing(book):
    book.accept()
    kick = book.started()
    assert len(book.look(kick)) == 1
    _, ticket = book.ledger.rest_pump("main", slot=kick.slot, ticket=kick.ticket, limit=64)
    for _ in range(2):
        assert book.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=9, lease=LEASE) is None
        assert book.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=9) is None
    assert book.ledger.claim_due("main", slot=0, ticket=ticket, limit=9, lease=LEASE) is not None


def test_a_pump_retires_when_nothing_is_left(book, rendering):
    book.find(rendering, "done", url="https://v/1.mp4")
    (ticket,) = {int(book.redis.hget("renderline:pump:main", "0:ticket"))}
    assert book.ledger.rest_pump("main", slot=0, ticket=ticket, limit=64) is None
    assert book.ledger.pumps() == []
    book.accept("r2")
    assert book.started("r2") is not None


def test_a_dead_pump_is_started_again(book):
    book.accept()
    lost = book.started(look_in=5.0)  # a message that the broker lost
    book.clock.forward(5.0 + GRACE - 1)
    assert book.ledger.pumps() == []
    book.clock.forward(2)
    (kick,) = book.ledger.pumps()
    assert book.ledger.pumps() == []
    assert kick.delay == 0.0
    assert book.ledger.claim_due("main", slot=lost.slot, ticket=lost.ticket, limit=9, lease=LEASE) is None
    assert [look.id for look in book.look(kick)] == ["r1"]


def test_a_pump_that_died_at_work_is_started_again_after_its_lease(book):
    book.accept()
    book.look(book.started())
    book.clock.forward(LEASE - 1)
    assert book.ledger.pumps() == []
    book.clock.forward(2)
    (kick,) = book.ledger.pumps()
    assert [look.id for look in book.look(kick)] == ["r1"]


def test_more_than_a_batch_gets_a_further_pump_which_retires_when_it_is_done(book):
    kick = book.started_all(*(f"r{index}" for index in range(5)))
    book.clock.forward(kick.delay)
    first = book.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=2, lease=LEASE)
    assert len(first.looks) == 2
    assert (first.more.slot, first.more.delay) == (1, 0.0)
    second = book.ledger.claim_due("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    assert len(second.looks) == 2
    assert second.more.slot == 2
    third = book.ledger.claim_due("main", slot=2, ticket=second.more.ticket, limit=2, lease=LEASE)
    assert len(third.looks) == 1
    assert third.more is None
    seen = [look.id for batch in (first, second, third) for look in batch.looks]
    assert sorted(seen) == [f"r{index}" for index in range(5)]
    assert book.ledger.rest_pump("main", slot=2, ticket=second.more.ticket, limit=2) is None
    assert book.ledger.rest_pump("main", slot=1, ticket=first.more.ticket, limit=2) is None
    assert book.ledger.rest_pump("main", slot=0, ticket=kick.ticket, limit=2) is not None


def test_there_is_a_limit_to_the_pumps_of_an_account(book):
    kick = book.started_all(*(f"r{index}" for index in range(20)))
    book.clock.forward(kick.delay)
    slots, claimed = [], 0
    while kick:
        slots.append(kick.slot)
        batch = book.ledger.claim_due("main", slot=kick.slot, ticket=kick.ticket, limit=1, lease=LEASE)
        claimed += len(batch.looks)
        kick = batch.more
    assert slots == list(range(8))
    assert claimed == 8
    ticket = int(book.redis.hget("renderline:pump:main", "0:ticket"))
    assert book.ledger.rest_pump("main", slot=0, ticket=ticket, limit=1)[0] == 0.0


def test_the_last_pump_does_not_retire_before_the_work(book):
    """A further pump stays when the first one died, or nobody would look until the next sweep."""
    kick = book.started_all(*(f"r{index}" for index in range(3)))
    book.clock.forward(kick.delay)
    first = book.ledger.claim_due("main", slot=0, ticket=kick.ticket, limit=2, lease=LEASE)
    for look in first.looks:
        book.find(look, "done", url="https://v")
    book.ledger.claim_due("main", slot=1, ticket=first.more.ticket, limit=2, lease=LEASE)
    # Slot 0 retires only with nothing to do, which is not the case, so it is made to by hand.
    book.redis.hdel("renderline:pump:main", "0:at", "0:busy")
    assert book.ledger.rest_pump("main", slot=1, ticket=first.more.ticket, limit=2) is not None


def test_accounts_have_pumps_of_their_own(book):
    book.accept("a", account="one")
    book.accept("b", account="two")
    kicks = [book.started("a"), book.started("b")]
    assert [(kick.account, kick.slot) for kick in kicks] == [("one", 0), ("two", 0)]
    assert [look.id for look in book.look(kicks[0])] == ["a"]
    book.clock.forward(LEASE + GRACE + 5)
    assert sorted(kick.account for kick in book.ledger.pumps()) == ["one", "two"]


def test_ended_renders_are_taken_off_the_list_of_due_ones(book):
    book.accept()
    kick = book.started()
    book.redis.zadd("renderline:due:main", {"ghost": 1})
    assert [look.id for look in book.look(kick)] == ["r1"]
    assert book.stands("due:main", "ghost") is None
