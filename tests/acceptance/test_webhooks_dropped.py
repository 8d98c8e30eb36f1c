"""Webhooks that never arrive, or stop arriving: polling finds what is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from harness import until
from tests.acceptance.webhook_system import WebhookSystem, calls, start_webhook_system

__all__ = ["start_webhook_system"]

NET = 2.0


@pytest.fixture(scope="module")
def called(start_webhook_system: Callable[..., WebhookSystem]) -> WebhookSystem:
    vendors = {"default": ("--webhooks", "none", "--render-seconds", "1"), "working": ("--render-seconds", "4")}
    return start_webhook_system(vendors, RENDERLINE_WEBHOOK_POLL=str(NET))


def test_where_none_ever_arrives_polling_is_as_close_as_without(called: WebhookSystem) -> None:
    render = called.enqueue(called.system.request(), account="default")
    assert (
        "webhooks/aistudios"
        in until(lambda: [one["webhook_url"] for one in called.vendors["default"].projects() if one["webhook_url"]])[0]
    )
    record = called.delivery(render)
    assert record["state"] == "completed"
    assert called.ledger.redis.exists("renderline:webhooks_alive:default") == 0


def test_where_they_stop_polling_finds_the_end_and_relies_on_them_no_more(called: WebhookSystem) -> None:
    first = called.enqueue(called.system.request("Hello. [sandbox:slow=100]", hooks=[]), account="default")
    called.reaches(first, "rendering")
    assert requests.post(called.url(first), json={"progress": 1}, timeout=30).status_code == 204
    assert called.ledger.redis.exists("renderline:webhooks_alive:default") == 1
    # This one is no longer called about.
    second = called.enqueue(called.system.request(), account="default")
    record = called.delivery(second)
    assert record["polls"] == 1
    assert called.ledger.redis.exists("renderline:webhooks_alive:default") == 0


def test_while_they_arrive_there_is_next_to_no_polling(called: WebhookSystem) -> None:
    ids = [called.enqueue(called.system.request(hooks=[]), account="working") for _ in range(5)]
    for one in ids:
        assert called.reaches(one, "delivered")["polls"] <= 2
    vendor = called.vendors["working"]
    assert calls(vendor)["GET /v3/editor/progress/{key}"] <= 2 * len(ids)
    assert {project["exports"] for project in vendor.projects()} == {1}
