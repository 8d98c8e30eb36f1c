"""Fair turns between accounts: whose submission is sent next, and what is sent again."""

from __future__ import annotations

from collections import deque

import pytest

from harness.ledger import GRACE, LEASE, LedgerDriver
from renderline.ledger import AccountLimits
from renderline.tenants import DEFAULT


class Broker:
    """The queue of submissions, by priority, then first come, first served, and a worker that begins what it takes."""

    def __init__(self, driver: LedgerDriver) -> None:
        self.driver, self.queues = driver, {name: deque[str]() for name in ("high", "normal", "low")}
        self.begun: list[str] = []

    def accept(self, *names: str, account: str, priority: str = "normal", tenant: str = DEFAULT) -> None:
        for one in names:
            entry = self.driver.entry(one, account=account, priority=priority, tenant=tenant)
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

    def end(self, one: str) -> None:
        """End a render, and send what may go on."""
        self.driver.operations.cancel(one)
        self.send(self.driver.limits.unpark())


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


def test_a_render_does_not_wait_behind_a_thousand_of_another_tenant(broker: Broker) -> None:
    broker.accept(*names("a", 1000), account="main", tenant="acme")
    broker.accept("b", account="main")
    broker.accept("c", account="main", tenant="other")
    begun = broker.work(40)
    assert max(begun.index("b"), begun.index("c")) <= 24, "its turn did not come within two rounds"


def test_tenants_take_turns_for_the_slots_of_their_account(broker: Broker) -> None:
    broker.driver.limits.set_slots({"main": 2})
    broker.accept(*names("a", 40), account="main", tenant="acme")
    assert broker.work() == ["a0000", "a0001"]
    broker.accept(*names("b", 10), account="main", tenant="other")
    broker.accept(*names("d", 10), account="main")
    assert broker.work() == [], "all slots are taken"
    begun = []
    for one in ("a0000", "a0001"):
        broker.end(one)
        begun += broker.work()
    for _ in range(28):
        # New renders of a flood do not go before those that wait.
        broker.accept(f"new{len(begun)}", account="main", tenant="acme")
        broker.end(begun[-2])
        begun += broker.work()
    assert [sum(one.startswith(letter) for one in begun[:27]) for letter in "abd"] == [9, 9, 9], begun


def test_tenants_take_turns_for_the_rate_of_their_account(broker: Broker) -> None:
    driver = broker.driver
    driver.limits.slow_down("main", seconds=0)
    broker.accept(*names("a", 60), account="main", tenant="acme")
    broker.accept(*names("b", 10), account="main", tenant="other")
    begun = broker.work()
    for _ in range(20):
        driver.clock.forward(1.0)
        broker.send(driver.limits.unpark())
        begun += broker.work()
    last = max(begun.index(one) for one in names("b", 10))
    assert last <= 24, begun


def test_the_urgency_of_one_tenant_does_not_hold_up_another(broker: Broker) -> None:
    broker.driver.limits.set_slots({"main": 1})
    broker.accept(*names("a", 40), account="main", tenant="acme", priority="high")
    broker.accept("b", account="main", priority="low")
    begun = broker.work()
    for _ in range(4):
        broker.end(begun[-1])
        begun += broker.work()
    assert "b" in begun


def test_turns_leave_no_key_behind(broker: Broker) -> None:
    redis = broker.driver.redis
    broker.accept(*names("d", 20), account="main")
    assert not redis.exists("renderline:owners:main", "renderline:tenants"), "one tenant needs no turns"
    broker.accept(*names("a", 20), account="main", tenant="acme")
    assert redis.zrange("renderline:owners:main", 0, -1) == ["main/acme", "main"]
    assert len(broker.work()) == 40
    assert broker.driver.limits.unpark() == []
    assert not redis.exists("renderline:owners:main")
    assert redis.smembers("renderline:tenants") == {"acme"}


def test_a_lost_message_of_a_tenant_is_sent_again(broker: Broker) -> None:
    driver = broker.driver
    broker.accept(*names("a", 12), account="main", tenant="acme")
    driver.clock.forward(GRACE + 1)
    assert driver.ledger.stalled(oldest={"submit.normal": "a0000"}) == []
    for queue in broker.queues.values():
        queue.clear()
    driver.clock.forward(3 * GRACE)
    broker.send([(one, priority) for one, _, priority in driver.ledger.stalled()])
    assert broker.work() == names("a", 12)


def test_a_paused_account_goes_on_for_all_its_tenants(broker: Broker) -> None:
    driver = broker.driver
    driver.operations.pause("main")
    broker.accept("a", account="main", tenant="acme")
    broker.accept("b", account="main")
    assert broker.work() == []
    assert driver.redis.zcard("renderline:parked:main/acme") == 1
    driver.operations.resume("main")
    broker.send(driver.limits.unpark())
    assert sorted(broker.work()) == ["a", "b"]


def test_renders_of_a_tenant_wait_for_a_worker_with_the_api(broker: Broker) -> None:
    driver = broker.driver
    broker.accept("a", account="main", tenant="acme")
    known, apis = ["main"], {"project": "v3"}
    assert driver.ledger.claim_submission("a", lease=LEASE, known=known, apis=apis) is None
    assert AccountLimits(driver.ledger, known=known).unpark() == []
    assert driver.ledger.missing_apis() == {"v3:main"}
    broker.send(AccountLimits(driver.ledger, known=["main", "v3:main"]).unpark())
    assert broker.work() == ["a"]
