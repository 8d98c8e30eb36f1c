"""Fair turns between accounts: whose submission is sent next, and what is sent again."""

from __future__ import annotations

from collections import deque

import pytest

from harness.ledger import GRACE, LEASE, LedgerDriver


class Broker:
    """The queue of submissions, by priority, then first come, first served, and a worker that begins what it takes."""

    def __init__(self, driver: LedgerDriver) -> None:
        self.driver, self.queues = driver, {name: deque[str]() for name in ("high", "normal", "low")}
        self.begun: list[str] = []

    def accept(self, *names: str, account: str, priority: str = "normal") -> None:
        for one in names:
            entry = self.driver.entry(one, account=account, priority=priority)
            if self.driver.ledger.accept(entry).due:
                self.queues[priority].append(one)

    def send(self, renders: list[tuple[str, str]]) -> None:
        for one, priority in renders:
            self.queues[priority].append(one)

    @property
    def standing(self) -> list[str]:
        return [one for queue in self.queues.values() for one in queue]

    def work(self, count: int = 10**6) -> list[str]:
        """Take so many messages; returns what was begun."""
        begun = []
        while self.standing and count:
            count -= 1
            one = next(queue for queue in self.queues.values() if queue).popleft()
            if self.driver.ledger.claim_submission(one, lease=LEASE, following=self.send):
                begun.append(one)
        return begun


@pytest.fixture
def broker(driver: LedgerDriver) -> Broker:
    return Broker(driver)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{index:04}" for index in range(count)]


def test_one_render_does_not_wait_behind_a_thousand_of_another_account(broker: Broker) -> None:
    broker.accept(*names("a", 1000), account="big")
    broker.accept("b", account="small")
    begun = broker.work(40)
    assert begun.index("b") <= 16, "its turn did not come within two rounds"


def test_accounts_take_turns(broker: Broker) -> None:
    for account in ("one", "two", "three"):
        broker.accept(*names(account, 100), account=account)
    begun = broker.work(96)
    assert [sum(one.startswith(account) for one in begun) for account in ("one", "two", "three")] == [32, 32, 32]


def test_all_of_a_flood_are_begun_once_and_in_order(broker: Broker) -> None:
    flood = names("a", 100)
    broker.accept(*flood, account="big")
    assert len(broker.standing) == 8, "only so many are queued"
    assert broker.work() == flood
    assert broker.driver.limits.unpark() == []


def test_urgent_renders_of_a_flood_go_first(broker: Broker) -> None:
    broker.accept(*names("n", 50), account="big")
    broker.accept(*names("h", 20), account="big", priority="high")
    begun = broker.work(40)
    assert {one for one in begun if one.startswith("h")} == set(names("h", 20))


def test_a_flood_waits_with_its_account_and_comes_back_in_turns(broker: Broker) -> None:
    driver = broker.driver
    broker.accept(*names("a", 30), account="big")
    driver.operations.pause("big")
    assert broker.work() == []
    broker.accept("b", account="small")
    driver.operations.resume("big")
    broker.send(driver.limits.unpark())
    begun = broker.work()
    assert begun.index("b") <= 8
    assert len(begun) == 31


def test_a_limit_of_slots_holds_for_what_follows(broker: Broker) -> None:
    driver = broker.driver
    driver.limits.set_slots({"big": 3})
    broker.accept(*names("a", 30), account="big")
    assert len(broker.work()) == 3
    assert driver.limits.unpark() == []


def test_a_message_still_in_the_queue_is_not_sent_again(broker: Broker) -> None:
    driver = broker.driver
    broker.accept(*names("a", 30), account="big")
    for _ in range(8):
        driver.clock.forward(GRACE + 1)
        assert driver.ledger.stalled(oldest={"submit.normal": broker.standing[0]}) == []
        assert driver.limits.unpark() == []


def test_what_was_lost_from_the_queue_is_sent_again(broker: Broker) -> None:
    driver = broker.driver
    broker.accept("lost", account="big")
    driver.clock.forward(1.0)
    broker.accept("stands", account="other")
    driver.clock.forward(GRACE + 1)
    assert [one for one, _, _ in driver.ledger.stalled(oldest={"submit.normal": "stands"})] == ["lost"]
    driver.clock.forward(GRACE * 3)
    assert {one for one, _, _ in driver.ledger.stalled()} == {"lost", "stands"}


def test_lost_messages_do_not_keep_their_account_waiting(broker: Broker) -> None:
    driver = broker.driver
    broker.accept(*names("a", 30), account="big")
    broker.queues["normal"].clear()
    begun: set[str] = set()
    for _ in range(20):
        driver.clock.forward(GRACE)
        broker.send([(one, priority) for one, _, priority in driver.ledger.stalled()])
        broker.send(driver.limits.unpark())
        begun.update(broker.work())
    assert sorted(begun) == names("a", 30)


def test_a_known_request_that_waits_for_its_turn_is_not_sent(broker: Broker) -> None:
    broker.accept(*names("a", 9), account="big")
    broker.accept("a0008", account="big")
    assert len(broker.standing) == 8
    assert broker.work() == names("a", 9)
