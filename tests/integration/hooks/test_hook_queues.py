"""A queue that celery hooks feed and nobody reads is bounded, and the doctor names it."""

from __future__ import annotations

import pytest
from celery import Celery
from redis import Redis

from harness.ledger import LedgerDriver
from renderline.hooks import CeleryHook, Delivery, HookFailed
from renderline.ledger import HookQueues
from workers.cli.checks.backlog import of_hook_queues

HOOK = {"type": "celery", "task": "billing.video_ready", "queue": "billing"}


@pytest.fixture
def hook(driver: LedgerDriver, redis: Redis) -> CeleryHook:
    app = Celery("hooks", broker=_url(redis))
    return CeleryHook(app.send_task, queues=HookQueues(driver.ledger, limit=3))


def _url(redis: Redis) -> str:
    about = redis.connection_pool.connection_kwargs
    return f"redis://{about['host']}:{about['port']}/{about['db']}"


def delivery(number: int) -> Delivery:
    return Delivery("render.completed", f"msg_{number}", 1_795_170_245.0 + number, {"id": f"r{number}"})


def test_a_full_queue_fails_the_hook_until_somebody_reads(hook: CeleryHook, redis: Redis) -> None:
    for number in range(3):
        hook.deliver(HOOK, delivery(number))
    with pytest.raises(HookFailed, match=r"queue billing: 3 messages wait in it.*HOOK_QUEUE_LIMIT.*consumer") as caught:
        hook.deliver(HOOK, delivery(3))
    assert not caught.value.permanent, "it is retried"
    assert not caught.value.unreachable
    assert redis.llen("billing") == 3
    hook.deliver({**HOOK, "queue": "other"}, delivery(4))
    redis.rpop("billing")
    hook.deliver(HOOK, delivery(3))
    assert redis.llen("billing") == 3


def test_the_doctor_names_a_queue_that_nobody_reads_and_its_tasks(
    hook: CeleryHook, driver: LedgerDriver, redis: Redis
) -> None:
    queues = HookQueues(driver.ledger)
    hook.deliver(HOOK, delivery(1))
    hook.deliver({**HOOK, "task": "crm.video"}, delivery(2))
    assert [one.verdict for one in of_hook_queues(queues.all())] == ["ok"]
    redis.lpush("billing", *["x"] * 998)
    (found,) = of_hook_queues(queues.all())
    assert found.verdict == "warn"
    assert "1,000 messages wait in the queue billing" in found.detail
    assert "billing.video_ready, crm.video" in found.detail


def test_no_more_than_a_thousand_queues_are_remembered(driver: LedgerDriver) -> None:
    queues = HookQueues(driver.ledger)
    for number in range(1010):
        queues.check("task", f"q{number}", at=float(number))
    assert driver.redis.zcard("renderline:hook_queues") == 1000
    assert "q0" not in {one.name for one in queues.all()}
