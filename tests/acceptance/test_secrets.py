"""What operators and the network can read shows render ids, and no token, key or script text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from harness import HOOK_SECRET, USER_KEY, Flower, until
from tests.acceptance.conftest import V2_KEY, System

SCRIPT = "Xylophone marmalade quarterly numbers"
LOGIN = ("operator", "watch-the-queues")


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "0.5", workers=1, RENDERLINE_LOG_LEVEL="DEBUG")


@pytest.fixture
def flower(system: System) -> Iterator[Flower]:
    environ = {**system.environ, "FLOWER_BASIC_AUTH": ":".join(LOGIN)}
    process = Flower(system.directory / "flower.log", environ)
    process.wait_ready()

    def hears() -> bool:
        # The page of workers is drawn from events: a worker on it means that Flower receives them.
        return bool(requests.get(f"{process.url}/workers?json=1", auth=LOGIN, timeout=30).json()["data"])

    until(hears, what="a worker in Flower")
    yield process
    process.stop()


def secrets_of(system: System) -> list[str]:
    """Return everything that must not be seen, the token that was issued meanwhile included."""
    with system.app.connection_for_read() as connection:
        token = connection.default_channel.client.hget("renderline:token:default", "token").decode()
    return [SCRIPT, USER_KEY, V2_KEY, HOOK_SECRET, HOOK_SECRET.removeprefix("whsec_"), token]


def test_flower_and_logs_show_ids_and_no_secrets(system: System, flower: Flower) -> None:
    request = system.request(SCRIPT)
    render = system.enqueue(request, key="order-C-3")
    system.hook_endpoint.take()
    bad = {**request, "scenes": [{"script": SCRIPT, "avatar": {"model": SCRIPT * 30}}]}
    with pytest.raises(Exception, match="clothes"):
        system.enqueue(bad)

    def names() -> set[str]:
        tasks = requests.get(f"{flower.url}/api/tasks", auth=LOGIN, timeout=30).json()
        return {task["name"] for task in tasks.values()}

    wanted = {"renderline.request", "renderline.submit", "renderline.poll", "renderline.hook"}
    until(lambda: wanted <= names(), what="all tasks in Flower")

    assert requests.get(f"{flower.url}/tasks", timeout=30).status_code == 401
    pages = [
        requests.get(f"{flower.url}{path}", auth=LOGIN, timeout=30)
        for path in ("/", "/workers", "/tasks", "/api/tasks")
    ]
    pages += [
        requests.get(f"{flower.url}/task/{task}", auth=LOGIN, timeout=30)
        for task in requests.get(f"{flower.url}/api/tasks", auth=LOGIN, timeout=30).json()
    ]
    assert all(page.ok for page in pages)
    shown = "\n".join(page.text for page in pages)
    read = {"Flower": shown, "Flower's log": flower.output(), "worker's log": system.workers[0].output()}
    for secret in secrets_of(system):
        for place, text in read.items():
            assert secret not in text, f"{place} shows {secret[:12]}..."
    assert render in pages[3].text
    assert "order-C-3" in pages[3].text


def test_messages_carry_ids_only(system: System) -> None:
    for worker in system.workers:
        worker.kill()
    with system.app.connection_for_read() as connection:
        client = connection.default_channel.client
        acceptor = system.start_worker(queues="requests")
        system.enqueue(system.request(SCRIPT))
        messages = client.lrange("submit\x06\x163", 0, -1) + client.lrange("submit", 0, -1)
        acceptor.kill()
    assert messages
    for secret in secrets_of(system):
        assert all(secret.encode() not in message for message in messages)
