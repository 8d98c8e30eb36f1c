"""The page about hooks shows what is really sent, and when."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from redis import Redis

from harness import HOOK_SECRET, ROOT
from harness.gateway_app import gateway_app
from harness.hook_endpoint import HookEndpoint
from harness.ledger import LEASE, LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import CeleryHook, HttpHook
from renderline.hooks.delivery import Deliverer
from renderline.hooks.kind import FINAL_EVENTS
from renderline.ledger import Entry
from renderline.retry import MAX_RETRY_AFTER, WAITS, HookRetryPolicy
from renderline.tenants import Endpoint, Tenant, Tenants

PAGE = (ROOT / "docs/hooks.md").read_text()
RENDER = "0000c5d00000000000000000a1b2e001"
BEGIN = 1_767_258_000.0
EVENTS = ["render.completed", "render.failed", "render.expired", "render.canceled"]


def shown(about: str) -> Any:
    """Return the JSON of the first block below the heading."""
    below = PAGE.split(f"\n### {about}\n", 1)[1]
    return json.loads(re.search(r"```json\n(.*?)```", below, re.DOTALL)[1])  # type: ignore[index]


class Receiver:
    """A ledger with a fixed time, in which renders end, and what its two hooks send then."""

    def __init__(self, redis: Redis) -> None:
        self.driver = LedgerDriver(redis)
        self.driver.clock.now = BEGIN
        self.tasks: list[tuple[str, dict[str, Any]]] = []

    def render(self, event: str) -> None:
        """Bring a render to the end that the event is about."""
        driver = self.driver
        meta = {
            "name": "Welcome, Ann",
            "metadata": {"order": "A-17"},
            "hooks": [
                {"type": "http", "endpoint": "billing", "events": EVENTS},
                {"type": "celery", "task": "billing.video_ready", "queue": "billing", "events": EVENTS},
            ],
        }
        entry = Entry(
            RENDER, "export", "default", "normal", 3600.0, meta, "{}", "f", by="http:shop", request_id="order-A-17"
        )
        assert driver.ledger.accept(entry).status == "new"
        wake = driver.start(RENDER)
        assert wake
        if event == "render.canceled":
            driver.operations.cancel(RENDER)
            return
        (poll,) = driver.claim_due_polls(wake)
        driver.clock.forward(93.4)
        details: Mapping[str, Any] = {
            "render.completed": {"status": "done", "url": "https://videos.example/p.mp4?token=x", "credit": 12.0},
            "render.failed": {"status": "failed", "code": "50010", "message": "No credit"},
            "render.expired": {
                "status": "expired",
                "code": "deadline",
                "message": "still rendering at its deadline",
                "origin": "renderline",
            },
        }[event]
        assert driver.record_result(poll, **details)

    def deliver(self, url: str) -> None:
        tenant = Tenant(name="default", hook_secrets=(HOOK_SECRET,), endpoints={"billing": Endpoint(url)})
        kinds = {"http": HttpHook(Tenants(unlisted=tenant), allow_private=True), "celery": CeleryHook(self._send)}
        deliverer = Deliverer(
            self.driver.ledger,
            RecordedDispatcher(),
            kinds,
            HookRetryPolicy(),
            LEASE,
            clock=self.driver.clock,  # type: ignore[arg-type]
        )
        for index in (0, 1):
            deliverer.deliver(RENDER, index)

    def _send(self, task: str, *, args: list[Any], **options: Any) -> None:
        self.tasks.append((task, {"args": args, **options}))


@pytest.mark.parametrize("event", FINAL_EVENTS)
def test_the_body_of_each_event_is_the_one_that_is_sent(redis: Redis, event: str) -> None:
    receiver = Receiver(redis)
    receiver.render(event)
    with HookEndpoint() as endpoint:
        receiver.deliver(endpoint.url)
        headers, body = endpoint.take()
    sent = json.loads(body)
    assert list(described(event).iter_errors(sent)) == []
    ((task, message),) = receiver.tasks
    assert (task, message["task_id"], message["queue"]) == ("billing.video_ready", f"msg_{RENDER}_1_1", "billing")
    assert message["headers"] == {"request_id": "order-A-17"}
    assert {**message["args"][0], "data": None} == {**sent, "data": None}
    example = shown(event)
    if event == "render.completed":
        assert example == sent
        assert shown_headers() == {name: headers[name] for name in shown_headers()}
    else:
        whole = shown("render.completed")
        differing = {name: value for name, value in sent["data"].items() if whole["data"][name] != value}
        differing.pop("times", None)
        assert example == {"type": sent["type"], "timestamp": sent["timestamp"], "data": differing}


def described(event: str) -> Draft202012Validator:
    """Return what checks a body by the gateway's OpenAPI document."""
    document = gateway_app(Redis(port=1), hook_kinds={}).test_client().get("/openapi.json").get_json()
    schema = document["webhooks"][event]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


def shown_headers() -> dict[str, str]:
    """Return the headers that the page shows."""
    block = re.search(r"```\n(POST .*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]
    return dict(line.split(": ", 1) for line in block.strip().splitlines()[1:])


def test_the_retry_times_are_those_of_the_schedule() -> None:
    rows = re.findall(r"^\| (\d+)(?: and later)? \| (\d+) (s|min|h) \|", PAGE, re.MULTILINE)
    unit = {"s": 1.0, "min": 60.0, "h": 3600.0}
    assert [int(row[0]) for row in rows] == list(range(1, len(WAITS) + 1))
    assert tuple(float(count) * unit[name] for _, count, name in rows) == WAITS
    assert f"at most {MAX_RETRY_AFTER / 3600:.0f} hours" in PAGE
