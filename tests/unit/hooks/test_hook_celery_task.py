"""The task that a celery hook asks for."""

import traceback

import pytest

from renderline.hooks import CeleryHook, Delivery, HookFailed

HOOK = {"type": "celery", "task": "billing.video_ready", "queue": "billing"}
DELIVERY = Delivery("render.completed", "msg_1", 1_795_170_245.0, {"id": "r1"})


def test_sends_the_body_by_name_under_the_webhook_id():
    sent = []
    hook = CeleryHook(lambda *args, **kwargs: sent.append((args, kwargs)))
    assert hook.problem(HOOK) is None
    assert hook.deliver(HOOK, DELIVERY) == {}
    assert sent == [
        (
            ("billing.video_ready",),
            {"args": [DELIVERY.body()], "queue": "billing", "task_id": "msg_1", "ignore_result": True},
        )
    ]


def test_a_broker_in_trouble_is_worth_a_retry_and_its_password_stays_hidden():
    def refuse(*_, **__):
        raise ConnectionError("redis://:topsecret@broker:6379/0 refused")

    with pytest.raises(
        HookFailed, match=r"billing\.video_ready was not sent to queue billing: ConnectionError"
    ) as caught:
        CeleryHook(refuse).deliver(HOOK, DELIVERY)
    assert not caught.value.permanent
    assert "topsecret" not in "".join(traceback.format_exception(caught.value))
