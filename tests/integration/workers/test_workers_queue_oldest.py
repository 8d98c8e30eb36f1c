"""The sweep learns which message of each queue is the oldest."""

from __future__ import annotations

from celery import Celery
from redis import Redis

from harness import Valkey
from renderline import contract
from tasks.publisher import CeleryPublisher


def test_the_oldest_message_of_each_queue_is_known_by_what_it_is_about(valkey: Valkey, redis: Redis) -> None:
    app = Celery("test", broker=valkey.url)
    app.conf.broker_transport_options = {"priority_steps": [0, 3, 6, 9]}
    publisher = CeleryPublisher(app)
    assert publisher.oldest() == {}
    for priority in contract.PRIORITIES:
        publisher.submit([(f"first-{priority}", priority), (f"second-{priority}", priority)])
    assert publisher.oldest() == {f"submit.{name}": f"first-{name}" for name in contract.PRIORITIES}
    app.send_task(contract.HOOK, args=("r1", 2), queue=contract.HOOKS_QUEUE, ignore_result=True)
    assert publisher.oldest()["hook"] == "r1:2"
    redis.rpush("hooks", "{}")
    assert publisher.oldest()["hook"] == "?"
