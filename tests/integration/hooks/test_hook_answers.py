"""What an endpoint answers is read by nobody: a caller chooses the URL, and could read inner hosts with it."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from redis import Redis

from harness import HOOK_SECRET
from harness.gateway_app import gateway_app
from harness.ledger import LEASE, LedgerDriver, accept_render
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import HttpHook
from renderline.hooks.delivery import Deliverer
from renderline.ledger.timeline_writer import TimelineWriter
from renderline.retry import HookRetryPolicy
from renderline.tenants import Tenant, Tenants

CONTENT = "inner-host-content"
STATUSES = (200, 302, 400, 401, 404, 410, 429, 500, 503)


def everything_in(redis: Redis) -> str:
    """Return every key with its value, as text."""
    given = redis.connection_pool.connection_kwargs
    # Some values are no text.
    with Redis(**{name: given[name] for name in ("host", "port", "db")}) as plain:
        return "\n".join(f"{key!r} {value_of(plain, key)!r}" for key in plain.scan_iter("*"))


def value_of(redis: Redis, key: Any) -> Any:
    """Return the whole value of a key of any type."""
    return {
        b"string": lambda: redis.get(key),
        b"hash": lambda: redis.hgetall(key),
        b"list": lambda: redis.lrange(key, 0, -1),
        b"set": lambda: redis.smembers(key),
        b"zset": lambda: redis.zrange(key, 0, -1),
        b"stream": lambda: redis.xrange(key),
    }[redis.type(key)]()


def test_no_answer_of_an_endpoint_is_kept_or_shown(
    redis: Redis, serve: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = (CONTENT + " ").encode() * 20

    def answer(request: Any) -> None:
        status = int(request.path.strip("/"))
        request.reply(status, body, X_Inner=CONTENT, Content_Type=f"text/plain; {CONTENT}", Server=CONTENT)

    server, writer = serve(answer), TimelineWriter(LedgerDriver(redis).ledger, clock=time.time)
    driver = LedgerDriver(redis, observer=writer)
    tenant = Tenant(name="default", hook_secrets=(HOOK_SECRET,))
    kinds = {"http": HttpHook(Tenants(unlisted=tenant), allow_private=True)}
    deliverer = Deliverer(
        driver.ledger,
        RecordedDispatcher(),  # type: ignore[arg-type]
        kinds,
        HookRetryPolicy(),
        LEASE,
    )
    for status in STATUSES:
        hooks = [{"type": "http", "url": f"{server.url}/{status}"}]
        one = f"{status:032x}"
        accept_render(driver.ledger, one, meta={"name": "r", "metadata": {}, "hooks": hooks})
        assert driver.ledger.complete(driver.claim(one), stage="export", project_id=f"p{status}", url="https://v/1.mp4")
        deliverer.deliver(one, 0)
    writer.flush()
    assert len(server.asked) == len(STATUSES)
    pages = {}
    client = gateway_app(redis, ledger=driver.ledger, hook_kinds=kinds).test_client()
    for status in STATUSES:
        for path in ("", "/timeline"):
            page = client.get(f"/v1/renders/{status:032x}{path}")
            assert page.status_code == 200
            pages[f"{status}{path}"] = page.get_data(as_text=True)
    assert '"status": 503' in pages["503/timeline"] or '"status":503' in pages["503/timeline"], "the status is shown"
    log = "".join(capfd.readouterr()) + caplog.text
    assert "answered 503" in log
    for place, text in {"Redis": everything_in(redis), "log": log, **pages}.items():
        assert CONTENT not in text, f"{place} shows what an endpoint answered"
