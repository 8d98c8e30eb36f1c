"""Actions of a worker whose clock is wrong. `harness.shifted_clock` runs each in a process of its own."""

from __future__ import annotations

import time
from typing import Any


def send(countdown: str) -> None:
    """Publish a poll message to be run in so many seconds."""
    from renderline.ledger import PumpWake
    from tasks.publisher import CeleryPublisher
    from workers.app import app

    CeleryPublisher(app).poll(PumpWake("main", 0, 1, float(countdown)))


def receive(path: str) -> None:
    """Take the message and write down in how many seconds the worker would run it."""
    from kombu.asynchronous.timer import to_timestamp

    from workers.app import app

    with app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("poll")
        app.loader.import_default_modules()
        task = app.tasks["renderline.poll"]
        request = _request(task, message)
        message.ack()
    left = to_timestamp(request.eta) - time.monotonic()
    with open(path, "w") as output:
        output.write(str(left))


def receive_and_send(path: str, countdown: str) -> None:
    """Receive a message, and send another one."""
    receive(path)
    send(countdown)


def token(path: str) -> None:
    """Write down the account's token."""
    from workers.app import app

    with open(path, "w") as output:
        output.write(app.services.poller.accounts["default"].token.current())


def take_turns(path: str, calls: str) -> None:
    """Take turns of an account that may make 2 calls a second; write down when, by the monotonic clock."""
    from renderline.accounts.rate_limit import RateLimit
    from workers.app import app
    from workers.composition.connection import connect

    pace, times = RateLimit(connect(app.settings), "main", 2.0), []
    for _ in range(int(calls)):
        pace.take()
        times.append(time.monotonic())
    with open(path, "w") as output:
        output.write(" ".join(map(str, times)))


def _request(task: Any, message: Any) -> Any:
    from celery.utils.imports import symbol_by_name

    return symbol_by_name(task.Request)(
        message, app=task.app, task=task, headers=message.headers, decoded=False, body=message.body, utc=True
    )
