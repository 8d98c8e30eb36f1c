"""The ledger is read once in a few seconds, and its failure is a figure too."""

from prometheus_client import CollectorRegistry, generate_latest
from redis.exceptions import ConnectionError as RedisDown

from harness.clock import Clock
from renderline.metrics import ledger_metrics as names
from renderline.metrics.ledger_collector import KEPT, LedgerCollector
from renderline.metrics.ledger_reader import QueueClock


def scrapes(read, clock):
    registry = CollectorRegistry()
    registry.register(LedgerCollector(read, clock=clock))
    return lambda: generate_latest(registry).decode()


def test_however_often_somebody_asks_the_ledger_is_read_once_in_a_few_seconds():
    clock, readings = Clock(1000.0), []

    def read():
        readings.append(clock())
        return [(names.DEAD_LETTERS, (), len(readings))]

    scrape = scrapes(read, clock)
    for _ in range(50):
        assert "renderline_dead_letters 1.0\n" in scrape()
    clock.now += KEPT
    assert "renderline_dead_letters 2.0\n" in scrape()
    assert len(readings) == 2


def test_without_the_ledger_it_says_so_and_shows_no_old_figures():
    clock, down = Clock(1000.0), [False]

    def read():
        if down[0]:
            raise RedisDown
        return [(names.DEAD_LETTERS, (), 3)]

    scrape = scrapes(read, clock)
    assert "renderline_ledger_up 1.0\n" in scrape()
    down[0] = True
    clock.now += KEPT
    text = scrape()
    assert "renderline_ledger_up 0.0\n" in text
    assert "\nrenderline_dead_letters " not in text


def test_a_queue_stalls_while_it_holds_messages_and_gets_no_shorter():
    clock = Clock(1000.0)
    queues = QueueClock(clock)
    found = []
    for messages in (0, 2, 2, 3, 3, 2, 2, 0, 5):
        found.append(queues.stalled("submit", messages))
        clock.now += 10
    assert found == [0, 0, 10, 20, 30, 0, 10, 0, 0]
