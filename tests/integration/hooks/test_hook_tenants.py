"""Hooks of several tenants: whose secret signs, where videos are stored, and workers without an endpoint's settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from standardwebhooks import Webhook, WebhookVerificationError

from harness.recorded_dispatcher import RecordedDispatcher
from renderline.capabilities import WorkerCapabilities
from renderline.hooks import Delivery, DownloadHook, HookFailed, HttpHook
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done
from renderline.ledger import FileClaims, Ledger
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.tenants import Endpoint, Tenant, Tenants


def secret(letter: str) -> str:
    return "whsec_" + letter * 32


def tenants(url: str) -> Tenants:
    """Two tenants, one of which rotates its secret, and endpoints at the URL, with secrets of their own or without."""
    billing = {"billing": Endpoint(url, (secret("E"),)), "plain": Endpoint(url)}
    default = Tenant(name="default", hook_secrets=(secret("D"),), endpoints={"billing": Endpoint(url, (secret("F"),))})
    return Tenants(
        [
            Tenant(name="acme", hook_secrets=(secret("B"), secret("A")), endpoints=billing),
            Tenant(name="other", hook_secrets=(secret("C"),)),
        ],
        unlisted=default,
    )


def delivery(tenant: str, **record: Any) -> Delivery:
    return Delivery("render.completed", "msg_r1_1_0", time.time(), {"id": "r1", "tenant": tenant, **record})


def verifies(request: Any, letter: str) -> bool:
    try:
        Webhook(secret(letter)).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("tenant", "target", "letters"),
    [
        ("default", "url", "D"),
        ("default", "billing", "F"),
        ("acme", "url", "AB"),
        ("acme", "billing", "E"),
        ("acme", "plain", "AB"),
        ("other", "url", "C"),
    ],
)
def test_a_call_verifies_with_the_secrets_of_its_tenant_or_endpoint_and_no_other(
    serve: Any, tenant: str, target: str, letters: str
) -> None:
    server = serve(lambda request: request.reply())
    spec = {"type": "http", "url": server.url} if target == "url" else {"type": "http", "endpoint": target}
    HttpHook(tenants(server.url), allow_private=True).deliver(spec, delivery(tenant))
    (request,) = server.asked
    assert {letter for letter in "ABCDEF" if verifies(request, letter)} == set(letters)


def test_what_one_receiver_knows_is_no_call_for_another(serve: Any) -> None:
    """A receiver that passes a call on, or signs one itself, is refused by the receiver of another endpoint."""
    server = serve(lambda request: request.reply())
    known = tenants(server.url)
    HttpHook(known, allow_private=True).deliver({"type": "http", "url": server.url}, delivery("other"))
    HttpHook(known, allow_private=True).deliver({"type": "http", "endpoint": "billing"}, delivery("acme"))
    stranger, own = server.asked
    assert verifies(own, "E")
    assert not verifies(stranger, "E")
    assert not verifies(own, "C")


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"hook_hosts": ("*.acme.com",)}, "may not call"),
        ({"allow_hook_urls": False}, "may name no url"),
        ({"hook_secrets": ()}, "hook_secrets of tenant acme"),
    ],
)
def test_a_policy_that_became_stricter_holds_at_delivery_and_is_retried(
    serve: Any, policy: Mapping[str, Any], why: str
) -> None:
    server = serve(lambda request: request.reply())
    acme = replace(tenants(server.url)["acme"], **policy)
    hook = HttpHook(Tenants([acme], unlisted=tenants(server.url)["default"]), allow_private=True)
    with pytest.raises(HookFailed, match=why) as caught:
        hook.deliver({"type": "http", "url": server.url}, delivery("acme"))
    assert not caught.value.permanent
    assert server.connections == []


@pytest.mark.parametrize("target", [{"endpoint": "billing"}, {"url": None}])
def test_a_worker_without_a_tenants_settings_leaves_its_hooks_to_others(
    driver: Any, serve: Any, target: dict[str, Any]
) -> None:
    """It was started before the file named the endpoint, or has no secret of the tenant. The try does not count."""
    server = serve(lambda request: request.reply())
    spec = {"type": "http", **({"url": server.url} if "url" in target else target)}
    meta = {"name": "Render r1", "hooks": [spec], "metadata": {}}
    driver.ledger.accept(replace(driver.entry("r1", ("http",)), tenant="acme", meta=meta))
    driver.finish()

    def deliverer(known: Tenants) -> Deliverer:
        return Deliverer(
            ledger=driver.ledger,
            dispatcher=RecordedDispatcher(),
            kinds={"http": HttpHook(known, allow_private=True)},
            retries=HookRetryPolicy(attempts=1),
            lease=20.0,
            capabilities=WorkerCapabilities(driver.ledger, ["main"], []),
        )

    old = Tenants(unlisted=Tenant(name="default", hook_secrets=(secret("D"),)))
    for _ in range(3):
        assert isinstance(deliverer(old).deliver("r1", 0), RetryIn)
        driver.clock.forward(61)
    (hook,) = driver.record()["hooks"]
    assert (hook["state"], hook["attempts"]) == ("pending", 0)
    assert "http:acme" in hook["error"]
    assert server.connections == []
    assert isinstance(deliverer(tenants(server.url)).deliver("r1", 0), Done)
    (hook,) = driver.record()["hooks"]
    assert (hook["state"], hook.get("endpoint")) == ("delivered", target.get("endpoint"))


def test_each_tenant_has_a_folder_that_no_other_writes_to(redis: Redis, tmp_path: Path, serve: Any) -> None:
    server = serve(lambda request: request.reply(200, request.path.encode()))
    hook = DownloadHook(tmp_path.as_uri(), claims=FileClaims(Ledger(redis)))

    def stored(tenant: str, spec: dict[str, Any], **record: Any) -> str:
        record = {"kind": "project", "name": "Same", "download_url": f"{server.url}/{tenant}", **record}
        url = hook.deliver({"type": "download", **spec}, delivery(tenant, **record))["stored_url"]
        return str(url).removeprefix(tmp_path.as_uri())

    spec = {"path": "{name}.mp4"}
    assert [stored(one, spec) for one in ("default", "acme", "other")] == [
        "/Same.mp4",
        "/tenants/acme/Same.mp4",
        "/tenants/other/Same.mp4",
    ]
    assert (tmp_path / "tenants" / "acme" / "Same.mp4").read_bytes() == b"/acme"
    for tenant, where in (
        ("acme", {"url": f"{tmp_path.as_uri()}/tenants/other"}),
        ("acme", {"url": tmp_path.as_uri()}),
        ("default", {"path": "{name}/acme/x.mp4"}),
    ):
        with pytest.raises(HookFailed, match="tenant") as caught:
            stored(tenant, where, name="Tenants" if tenant == "default" else "Same")
        assert caught.value.permanent


def test_in_an_object_store_a_tenant_keeps_to_its_prefix(redis: Redis, serve: Any) -> None:
    server = serve(lambda request: request.reply(200, b"video"))
    hook = DownloadHook("memory://bucket/videos", claims=FileClaims(Ledger(redis)))

    def stored(tenant: str, **spec: Any) -> str:
        record = {"kind": "project", "name": "Same", "download_url": server.url}
        return str(hook.deliver({"type": "download", **spec}, delivery(tenant, **record))["stored_url"])

    assert stored("acme") == "memory://bucket/videos/tenants/acme/r1.mp4"
    assert stored("default", url="memory://elsewhere") == "memory://elsewhere/r1.mp4"
    for tenant, spec in (
        ("acme", {"url": "memory://elsewhere"}),
        ("acme", {"url": "memory://bucket/videos/tenants/acme2"}),
        ("default", {"url": "memory://bucket/videos/tenants/acme"}),
        ("default", {"url": "memory://bucket", "path": "videos/tenants/acme/r1.mp4"}),
        ("default", {"url": "memory://bucket//videos", "path": "tenants/acme/r1.mp4"}),
    ):
        with pytest.raises(HookFailed, match="tenant"):
            stored(tenant, **spec)
