"""Which hooks a request may name: by door, API key and tenant."""

from __future__ import annotations

from typing import Any

import pytest

from harness import a_request
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.acceptance import Acceptor
from renderline.hooks import CeleryHook, DownloadHook, HttpHook, load_kinds
from renderline.requests import RequestRefused
from renderline.tenants import BROKER, COMMAND_LINE, Actor, Endpoint, Tenant, Tenants

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",)
ACME = Actor(door="http", tenant="acme", key_id="0123456789ab", name="acme")
KEY = Actor(door="http", tenant="default", key_id="0123456789ab", name="billing")
OPERATOR = Actor(door="http", tenant=None, key_id="0123456789ab", name="operator")
OPEN = Actor(door="http", tenant=None, name="everybody")
"""A caller of a gateway without API keys."""

CELERY = {"type": "celery", "task": "billing.video_ready", "queue": "billing"}
BILLING = Endpoint("https://billing.example.com/done", SECRETS)


def refusal(hook: dict[str, Any], actor: Actor, *listed: Tenant, tenant: str | None = None, **default: Any) -> str:
    """Return why the request is refused, empty if it is not. `default` is the policy of the tenant `default`."""
    tenants = Tenants(
        listed, broker=("default", "acme"), unlisted=Tenant(name="default", **{"hook_secrets": SECRETS, **default})
    )
    kinds = load_kinds(DownloadHook("file:///videos"), HttpHook(tenants), CeleryHook(print))
    acceptor: Any = Acceptor(
        None,  # type: ignore[arg-type]
        RecordedDispatcher(),
        ["default"],
        kinds,
        60.0,
        100_000,
        tenants,
    )
    try:
        acceptor.load(a_request(hooks=[hook], **({"tenant": tenant} if tenant else {})), actor=actor)
    except RequestRefused as refused:
        (path, (message,)), *more = refused.errors.items()
        assert (path, more) == ("hooks.0", [])
        return message
    return ""


@pytest.mark.parametrize("actor", [OPEN, BROKER, COMMAND_LINE])
def test_without_a_list_celery_hooks_go_through_every_door_but_that_of_keys(actor: Actor) -> None:
    assert refusal(CELERY, actor) == ""


@pytest.mark.parametrize("actor", [KEY, OPERATOR])
def test_without_a_list_a_key_may_name_no_celery_hook_and_learns_the_setting(actor: Actor) -> None:
    message = refusal(CELERY, actor)
    assert "RENDERLINE_CELERY_HOOKS" in message
    assert "billing.video_ready@billing" in message
    assert "celery_hooks of tenant acme (RENDERLINE_TENANTS)" in refusal(CELERY, ACME)


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (["*@*"], True),
        (["billing.*@billing"], True),
        (["other@x", "billing.video_ready@*"], True),
        (["billing.*@bill"], False),
        (["billing.video@billing"], False),
        (["Billing.*@billing"], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("actor", [KEY, OPEN, BROKER, COMMAND_LINE])
def test_a_list_says_which_tasks_may_be_sent(patterns: list[str], allowed: bool, actor: Actor) -> None:
    message = refusal(CELERY, actor, celery_hooks=tuple(patterns))
    assert (message == "") == allowed
    assert allowed or "RENDERLINE_CELERY_HOOKS" in message


def test_each_tenant_has_its_own_list() -> None:
    acme = Tenant(name="acme", celery_hooks=("billing.*@billing",))
    assert refusal(CELERY, ACME, acme) == ""
    assert refusal(CELERY, ACME, celery_hooks=("*@*",)) != "", "that is the default tenant's"
    assert refusal(CELERY, KEY, acme) != ""
    assert refusal({**CELERY, "queue": "other"}, BROKER, acme, tenant="acme") != ""


def http(target: str) -> dict[str, Any]:
    return {"type": "http", "url": target} if "://" in target else {"type": "http", "endpoint": target}


@pytest.mark.parametrize(
    ("policy", "target", "why"),
    [
        ({"hook_secrets": SECRETS}, "https://hooks.acme.com/x", None),
        ({}, "https://hooks.acme.com/x", "hook_secrets of tenant acme (RENDERLINE_TENANTS)"),
        ({}, "billing", "unknown endpoint 'billing' of tenant acme; known: none"),
        ({"endpoints": {"other": BILLING}}, "billing", "unknown endpoint 'billing' of tenant acme; known: other"),
        ({"endpoints": {"billing": BILLING}}, "billing", None),
        ({"endpoints": {"billing": Endpoint(BILLING.url)}}, "billing", "hook_secrets of tenant acme"),
        ({"endpoints": {"billing": Endpoint(BILLING.url)}, "hook_secrets": SECRETS}, "billing", None),
        ({"endpoints": {"billing": Endpoint("http://10.0.0.1/", SECRETS)}}, "billing", "private address"),
        ({"hook_secrets": SECRETS, "allow_hook_urls": False}, "https://x.example", "no url, but an endpoint"),
        ({"endpoints": {"billing": BILLING}, "allow_hook_urls": False, "hook_hosts": ()}, "billing", None),
        ({"hook_secrets": SECRETS, "hook_hosts": ("hooks.acme.com",)}, "https://hooks.acme.com:8443/x", None),
        ({"hook_secrets": SECRETS, "hook_hosts": ("Hooks.Acme.com.",)}, "https://HOOKS.acme.com./x", None),
        ({"hook_secrets": SECRETS, "hook_hosts": ("*.acme.com",)}, "https://a.b.acme.com/x", None),
        ({"hook_secrets": SECRETS, "hook_hosts": ("*",)}, "https://evil.example/x", None),
        ({"hook_secrets": SECRETS, "hook_hosts": ("*.acme.com",)}, "https://acme.com/x", "may not call"),
        ({"hook_secrets": SECRETS, "hook_hosts": ("*.acme.com",)}, "https://evilacme.com/x", "may not call"),
        ({"hook_secrets": SECRETS, "hook_hosts": ("acme.com",)}, "https://acme.com.evil.example/x", "may not call"),
        ({"hook_secrets": SECRETS, "hook_hosts": ("acme.com",)}, "https://evil.example/acme.com", "may not call"),
        ({"hook_secrets": SECRETS, "hook_hosts": ("acme.com",)}, "https://evil.example#acme.com", "may not call"),
        ({"hook_secrets": SECRETS, "hook_hosts": ("acme.com",)}, "https://evil.example\\@acme.com", "may not call"),
        ({"hook_secrets": SECRETS, "hook_hosts": ()}, "https://acme.com", "may not call"),
    ],
)
def test_http_hooks_of_a_tenant(policy: dict[str, Any], target: str, why: str | None) -> None:
    message = refusal(http(target), ACME, Tenant(name="acme", **policy))
    assert (message == "") == (why is None), message
    assert (why or "") in message
    assert SECRETS[0] not in message
    assert "/x" not in message


def test_the_default_tenant_may_name_endpoints_too() -> None:
    assert refusal(http("billing"), KEY, Tenant(name="default", endpoints={"billing": BILLING})) == ""
    assert refusal(http("https://example.com"), KEY, hook_secrets=()) == "set RENDERLINE_HOOK_SECRET (whsec_...)"


@pytest.mark.parametrize(
    ("actor", "fields", "allowed"),
    [
        (ACME, {}, True),
        (ACME, {"path": "tenants/other/x.mp4"}, True),
        (ACME, {"url": "file:///videos/tenants/acme"}, True),
        (ACME, {"url": "file:///videos/tenants/acme/orders"}, True),
        (ACME, {"url": "file:///videos/tenants/acme2"}, False),
        (ACME, {"url": "file:///videos/tenants/other"}, False),
        (ACME, {"url": "file:///videos"}, False),
        (ACME, {"url": "memory://videos/tenants/acme"}, False),
        (KEY, {"path": "orders/{name}.mp4"}, True),
        (KEY, {"path": "tenants/acme/{name}.mp4"}, False),
        (KEY, {"path": "Tenants/acme/{name}.mp4"}, False),
        (KEY, {"path": "tenants"}, False),
        (KEY, {"path": "tenants2/x.mp4"}, True),
        (KEY, {"url": "file:///videos/tenants"}, False),
        (KEY, {"url": "file:///videos/%74enants/acme"}, False),
        (KEY, {"url": "file:///videos//tenants/acme"}, False),
        (KEY, {"url": "file:///videos/orders", "path": "tenants/x.mp4"}, True),
        (OPEN, {"path": "tenants/acme/x.mp4"}, False),
    ],
)
def test_where_a_tenants_videos_may_be_stored(actor: Actor, fields: dict[str, Any], allowed: bool) -> None:
    assert (refusal({"type": "download", **fields}, actor) == "") == allowed


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"path": "uploads/tenants/acme/x.mp4"}, False),
        ({"path": "Uploads/x.mp4"}, False),
        ({"url": "file:///srv/videos/uploads", "path": "x.mp4"}, False),
        ({"path": "uploads-of-mine/x.mp4"}, True),
        ({"path": "x.mp4"}, True),
    ],
)
def test_no_hook_writes_over_uploads(fields: dict[str, Any], allowed: bool) -> None:
    hook = DownloadHook("file:///srv/videos", uploads_url="file:///srv/videos/uploads")
    problem = hook.problem({"type": "download", **fields})
    assert (problem is None) == allowed, problem
