"""When a consumer counts as deaf: checks in a row without an answer, while it has room for a message."""

from types import SimpleNamespace

import pytest
from kombu.exceptions import OperationalError

from workers.queue_order import CANARY_PREFIX, lanes
from workers.repairs.canary import Canary


class Broker:
    """Takes canaries and returns none of them."""

    def __init__(self):
        self.sent, self.fails, self.returns = 0, False, False
        self.canary = Canary(
            SimpleNamespace(producer_or_acquire=lambda: self), interval=1, end=lambda: self.log.append("end")
        )
        self.log = []
        self.room = True
        channel = SimpleNamespace(qos=SimpleNamespace(can_consume=lambda: self.room))
        hub = SimpleNamespace(call_soon=lambda *_: self.log.append("replace"))
        self.canary._consumer = SimpleNamespace(task_consumer=SimpleNamespace(channel=channel), hub=hub)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def publish(self, *_, **__):
        if self.fails:
            raise OperationalError("no broker")
        self.sent += 1
        if self.returns:
            self.canary._return(None)

    def check(self, times):
        for _ in range(times):
            self.canary.check()


@pytest.fixture
def broker():
    return Broker()


def test_four_checks_without_an_answer_replace_it_and_four_more_end_the_worker(broker):
    broker.check(4)
    assert broker.log == []
    broker.check(1)
    assert (broker.log, broker.canary.deaf) == (["replace"], True)
    broker.check(3)
    assert broker.log == ["replace"]
    broker.check(1)
    assert broker.log == ["replace", "end"]


def test_an_answer_begins_anew(broker):
    for _ in range(3):
        broker.check(4)
        broker.canary._return(None)
    assert (broker.log, broker.canary.deaf) == ([], False)


def test_a_busy_worker_is_not_deaf(broker):
    broker.room = False
    broker.check(50)
    assert (broker.log, broker.sent) == ([], 1)
    broker.room = True
    broker.check(4)
    assert broker.log == ["replace"]


def test_a_canary_that_is_gone_is_sent_again(broker):
    """Its queue expires: a worker that was busy, or frozen, for longer than that would wait for it in vain."""
    broker.check(1)
    broker.room = False
    broker.check(100)
    broker.room = broker.returns = True
    broker.check(10)
    assert (broker.log, broker.canary.replaced) == ([], 0)


def test_without_a_broker_nobody_is_deaf(broker):
    broker.check(4)
    broker.fails = True
    for _ in range(20):
        with pytest.raises(ConnectionError):
            broker.check(1)
    assert broker.log == []


def test_while_celery_connects_there_is_nothing_to_check(broker):
    broker.canary.detach()
    broker.check(50)
    assert (broker.log, broker.sent) == ([], 0)


def test_a_replaced_consumer_that_never_comes_back_ends_the_worker(broker):
    broker.check(5)
    broker.canary.detach()
    broker.check(4)
    assert broker.log == ["replace", "end"]


@pytest.mark.parametrize("queues", [("requests", "submit", "poll", "hooks"), ("requests",), ("hooks", "poll")])
def test_a_canary_waits_behind_no_backlog(queues):
    """BRPOP takes from the first list that is not empty: behind a long one, the worker would take itself for deaf."""
    canary = f"{CANARY_PREFIX}1"
    for turn in range(16):
        assert lanes((*queues, canary), (0, 3, 6, 9), turn=turn)[0] == (canary, 0)
