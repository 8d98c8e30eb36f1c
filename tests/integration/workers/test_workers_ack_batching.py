"""A taken message is noted at once; its ack is sent with the next one, or a moment later; none is forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection, Producer
from redis import Redis

from harness import Valkey
from workers.repairs.transport import transport_class

QUEUE = "hooks"


@pytest.fixture
def channel(valkey: Valkey, redis: Redis) -> Iterator[Any]:
    with Connection(valkey.url, transport=transport_class()) as connection:
        channel = connection.default_channel
        for number in range(4):
            Producer(channel).publish({"number": number}, routing_key=QUEUE)
        yield channel


def noted(redis: Redis) -> set[str]:
    tags = set(redis.hkeys("unacked"))
    assert tags == set(redis.zrange("unacked_index", 0, -1))
    return tags


def test_an_ack_is_sent_at_once_unless_acks_are_batched(channel: Any, redis: Redis) -> None:
    message = channel.basic_get(QUEUE)
    assert noted(redis) == {message.delivery_tag}
    message.ack()
    assert noted(redis) == set()


def test_a_batched_ack_is_sent_with_the_next_message(channel: Any, redis: Redis) -> None:
    channel.qos.batching = True
    first, second = channel.basic_get(QUEUE), channel.basic_get(QUEUE)
    first.ack()
    assert noted(redis) == {first.delivery_tag, second.delivery_tag}
    third = channel.basic_get(QUEUE)
    assert noted(redis) == {second.delivery_tag, third.delivery_tag}


def test_or_when_the_batch_is_flushed(channel: Any, redis: Redis) -> None:
    channel.qos.batching = True
    first, second = channel.basic_get(QUEUE), channel.basic_get(QUEUE)
    first.ack()
    channel.qos.flush_acks()
    assert noted(redis) == {second.delivery_tag}
    channel.qos.flush_acks()
    assert noted(redis) == {second.delivery_tag}


def test_a_full_batch_does_not_wait(channel: Any, redis: Redis) -> None:
    channel.qos.batching = True
    for number in range(60):
        Producer(channel).publish({"number": number}, routing_key=QUEUE)
    for message in [channel.basic_get(QUEUE) for _ in range(60)]:
        message.ack()
    assert len(noted(redis)) == 10


def test_acked_messages_are_not_requeued(channel: Any, redis: Redis) -> None:
    channel.qos.batching = True
    done, running, waiting = (channel.basic_get(QUEUE) for _ in range(3))
    done.ack()
    channel.requeue(but=[running.delivery_tag])
    assert noted(redis) == {running.delivery_tag}
    assert [channel.basic_get(QUEUE).payload for _ in range(2)] == [waiting.payload, {"number": 3}]


@pytest.mark.parametrize("ahead", [-1000.0, 1000.0])
def test_a_worker_with_a_wrong_clock_takes_no_messages_from_others(
    channel: Any, redis: Redis, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    right = time.time
    for module in ("workers.repairs.server_clock", "kombu.transport.redis"):
        monkeypatch.setattr(f"{module}.time", lambda: right() + ahead)
    first, second = channel.basic_get(QUEUE), channel.basic_get(QUEUE)
    redis.zadd("unacked_index", {second.delivery_tag: redis.time()[0] - channel.visibility_timeout - 1})  # type: ignore[index, operator]
    channel.qos.restore_visible(num=10, interval=1)
    assert noted(redis) == {first.delivery_tag}
