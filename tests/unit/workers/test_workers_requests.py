"""What a worker makes of a task message: bodies of requests are redacted, ETAs go by the server's clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.contrib.testing.mocks import TaskMessage

from config.settings import load
from harness import USER_KEY
from renderline import contract
from workers.application import create_app
from workers.repairs.transport import request_class

GIVEN = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "AISTUDIOS_APP_ID": "studio.acme",
    "AISTUDIOS_USER_KEY": USER_KEY,
}
KWARGS = {"request": {"scenes": [{"script": "a private script"}]}, "key": "order-1"}
ETA = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)


def received(task: str, *, called: str = "", skew: float = 0.0, **headers: Any) -> Any:
    """Return a worker's request for a message, on a machine whose clock is `skew` seconds ahead."""
    app = create_app(load(GIVEN, role="gateway"))
    clock: Any = SimpleNamespace(skew=lambda: skew)
    app._clock = (os.getpid(), clock)
    app.loader.import_default_modules()
    shown = {"argsrepr": "('a private script',)", "kwargsrepr": repr(KWARGS)}
    message = TaskMessage(called or task, kwargs=KWARGS, **shown, **headers)
    message.properties = message.delivery_info = {}
    return request_class()(message, app=app, task=app.tasks[task], utc=True)


@pytest.mark.parametrize("called", ["", "billing.other"])
def test_a_request_is_redacted_whatever_its_message_calls_it(called: str) -> None:
    request = received(contract.REQUEST, called=called)
    headers = request.message.headers
    texts = (request.argsrepr, request.kwargsrepr, headers["argsrepr"], headers["kwargsrepr"])
    assert not [text for text in texts if "private" in text]
    assert "order-1" in request.kwargsrepr


def test_other_tasks_show_their_arguments() -> None:
    assert "private" in received(contract.SUBMIT).kwargsrepr


@pytest.mark.parametrize("skew", [0.0, 75.0, -75.0])
def test_an_eta_by_the_servers_clock_becomes_one_by_the_workers(skew: float) -> None:
    request = received(contract.SUBMIT, skew=skew, eta=ETA.isoformat())
    assert request.eta - ETA == timedelta(seconds=skew)


def test_a_message_without_an_eta_has_none() -> None:
    assert received(contract.SUBMIT, skew=75.0).eta is None
