"""The order in which a worker takes messages of its queues, whatever the order in `-Q`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu import Connection, Producer, Queue
from redis import Redis

from config.celery import options
from config.settings import load
from harness import Valkey
from renderline.contract import PRIORITIES
from workers.repairs.transport import transport_class

# A valid task: other messages go into quarantine and are not delivered.
TASK, HEADERS = [["r1"], {}, {}], {"task": "renderline.submit", "id": "i1"}
ORDERS = [("requests", "submit", "poll", "hooks"), ("hooks", "requests", "submit", "poll"), ("hooks", "poll", "submit")]


@pytest.fixture
def taken(valkey: Valkey, redis: Redis) -> Iterator[Callable[..., list[str]]]:
    """Publish messages, and return the first `count` in the order in which a worker takes them."""
    settings = load({"REDIS_URL": valkey.url}, role="gateway")
    transport = options(settings)["broker_transport_options"]
    with Connection(valkey.url, transport=transport_class(), transport_options=transport) as connection:

        def take(names: tuple[str, ...], stock: dict[tuple[str, int], int], count: int) -> list[str]:
            channel = connection.channel()
            for (name, priority), messages in stock.items():
                for _ in range(messages):
                    Producer(channel).publish(TASK, headers=HEADERS, routing_key=name, priority=priority)
            came: list[str] = []

            def on_message(message: Any) -> None:
                came.append(f"{message.delivery_info['routing_key']}:{message.properties['priority']}")
                message.ack()

            with connection.Consumer(
                [Queue(name) for name in names], on_message=on_message, channel=channel, no_ack=False
            ):
                while len(came) < count:
                    connection.drain_events(timeout=30)
            return came

        yield take


@pytest.mark.parametrize("names", ORDERS, ids=",".join)
def test_a_flood_of_hooks_does_not_come_before_submissions(taken: Callable[..., list[str]], names: Any) -> None:
    normal = PRIORITIES["normal"]
    came = taken(names, {("hooks", 0): 100, ("submit", normal): 20}, 40)
    assert came[:20].count(f"submit:{normal}") >= 14, "most turns are theirs"
    assert "hooks:0" in came[:20], "and yet hooks are not starved"


@pytest.mark.parametrize("names", ORDERS[:2], ids=",".join)
def test_a_flood_of_requests_delays_no_poll(taken: Callable[..., list[str]], names: Any) -> None:
    came = taken(names, {("requests", 0): 100, ("hooks", 0): 100, ("submit", 0): 50, ("poll", 0): 8}, 10)
    assert came[:8] == ["poll:0"] * 8


@pytest.mark.parametrize("names", ORDERS[:2], ids=",".join)
def test_requests_and_submissions_take_turns(taken: Callable[..., list[str]], names: Any) -> None:
    came = taken(names, {("requests", 0): 100, ("submit", PRIORITIES["normal"]): 100}, 40)
    assert 10 <= came.count("requests:0") <= 30


def test_urgent_submissions_come_first_and_the_patient_ones_at_last(taken: Callable[..., list[str]]) -> None:
    came = taken(("submit",), {("submit", 0): 60, ("submit", 3): 60, ("submit", 6): 60}, 60)
    assert came.count("submit:0") > came.count("submit:3") + came.count("submit:6")
    assert came.count("submit:6") > 0


def test_nothing_is_left_unserved_by_any_order_of_the_queues(taken: Callable[..., list[str]]) -> None:
    for names in itertools.islice(itertools.permutations(("requests", "submit", "poll", "hooks")), 0, 24, 7):
        stock = {("requests", 0): 2, ("submit", 6): 2, ("poll", 0): 2, ("hooks", 0): 2}
        assert len(taken(names, stock, 8)) == 8
