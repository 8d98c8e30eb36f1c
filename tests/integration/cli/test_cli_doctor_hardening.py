"""`renderline doctor` checks the hardening of a live installation, item by item of the documented list."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from config.settings import Settings, load
from harness import ROOT, Valkey
from renderline.gateway.api_keys import ApiKey, ApiKeys
from renderline.tenants import Endpoint, Tenant, Tenants
from workers.cli.checks import hardening
from workers.cli.checks.result import CheckResult

KEY = "9f0c4d3b2a1e8f7d6c5b4a39281706f5"
MONTH = 31 * 86400.0


def settings(**environ: str) -> Settings:
    return load(environ, role="gateway")


@pytest.fixture
def results(
    redis: Redis, valkey: Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, CheckResult]]:
    """Check an installation with these settings, from a directory without an .env."""
    monkeypatch.chdir(tmp_path)

    def check(client: Redis = redis, tenants: Tenants | None = None, **environ: str) -> dict[str, CheckResult]:
        given = settings(**{"REDIS_URL": valkey.url, **environ})
        return {one.check: one for one in hardening.check(client, given, tenants or Tenants())}

    return check


def test_the_documented_checklist_is_what_the_doctor_checks(results: Callable[..., dict[str, CheckResult]]) -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = text.partition("\n## Hardening checklist\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z ]+)` \|", section, flags=re.MULTILINE) == list(results())


def test_every_warning_says_what_to_do(results: Callable[..., dict[str, CheckResult]]) -> None:
    worst = results(
        REDIS_URL="redis://redis.example.com/0",
        RENDERLINE_API_KEYS_REQUIRED="false",
        RENDERLINE_SECRET_KEY="k" * 32,
        RENDERLINE_ALLOW_PRIVATE_HOOKS="true",
        RENDERLINE_REMOTE_CONTROL="all",
        FLOWER_ADDRESS="0.0.0.0",
    )
    found = {name: one.verdict for name, one in worst.items() if one.verdict != "ok"}
    assert found == {
        "redis transport": "warn",
        "redis user": "fail",
        "redis commands": "warn",
        "api keys": "warn",
        "secret strength": "warn",
        "celery hooks": "warn",
        "private addresses": "warn",
        "flower address": "warn",
        "remote control": "warn",
    }
    assert all(worst[name].advice for name in found)
    assert not [one for one in worst.values() if "k" * 32 in one.detail + one.advice]


def test_a_gateway_that_other_machines_reach_is_named(results: Callable[..., dict[str, CheckResult]]) -> None:
    assert results(RENDERLINE_GATEWAY_BIND="0.0.0.0:8000")["gateway address"].verdict == "warn"


@pytest.fixture
def worker_url(valkey: Valkey, redis: Redis) -> Iterator[str]:
    """A Redis user who may do what a worker does, and read no key."""
    rules = ["+@read", "+@write", "+@connection", "+info", "-@dangerous", "+info", "~renderline:[^k]*"]
    redis.execute_command("ACL", "SETUSER", "renderline-worker", "reset", "on", f">{KEY}", *rules)
    yield valkey.url.replace("redis://", f"redis://renderline-worker:{KEY}@")
    redis.execute_command("ACL", "DELUSER", "renderline-worker")


def test_a_user_of_least_privilege_is_sound(results: Callable[..., dict[str, CheckResult]], worker_url: str) -> None:
    with Redis.from_url(worker_url, decode_responses=True) as client:
        found = results(client, REDIS_URL=worker_url)
    assert {name for name, one in found.items() if one.verdict != "ok"} == set()
    assert found["redis user"].detail == "renderline-worker"
    assert "operator" in found["unused api keys"].detail


def test_a_password_alone_is_no_least_privilege(results: Callable[..., dict[str, CheckResult]]) -> None:
    found = results(REDIS_URL=f"rediss://:{KEY}@redis.example.com/0")
    assert (found["redis transport"].verdict, found["redis user"].verdict) == ("ok", "warn")
    assert "FLUSHALL" in found["redis commands"].detail


def test_keys_that_nobody_uses_and_many_operators_are_named(
    redis: Redis, results: Callable[..., dict[str, CheckResult]]
) -> None:
    ApiKeys(redis, clock=lambda: time.time() - MONTH).create("forgotten", ["read"])
    for number in range(3):
        ApiKeys(redis).create(f"operator {number}", ["operator"])
    found = results()
    assert found["unused api keys"].verdict == found["operator api keys"].verdict == "warn"
    assert "(forgotten)" in found["unused api keys"].detail
    assert "(operator 2)" in found["operator api keys"].detail
    assert "operator" not in found["unused api keys"].detail


def test_a_key_that_was_used_lately_is_no_finding() -> None:
    key = ApiKey("0" * 12, "billing", ("operator",), created=0.0, used=MONTH)
    assert hardening.of_unused_keys([key], now=MONTH + 1).verdict == "ok"
    assert hardening.of_operator_keys([key]).verdict == "ok"


@pytest.mark.parametrize(
    ("name", "version", "verdict"),
    [
        ("Valkey", "9.1.0", "ok"),
        ("Valkey", "8.1.4", "ok"),
        ("Valkey", "8.1.3", "warn"),
        ("Valkey", "7.2.4", "warn"),
        ("Redis", "6.2.20", "ok"),
        ("Redis", "7.0.15", "warn"),
        ("Redis", "8.2.1", "warn"),
        ("Redis", "8.4.0", "ok"),
        ("Redis", "", "warn"),
    ],
)
def test_a_server_with_known_holes_is_named(name: str, version: str, verdict: str) -> None:
    assert hardening.of_patches(name, version).verdict == verdict


def test_two_hook_secrets_are_a_rotation() -> None:
    endpoint = Endpoint("https://example.com", secrets=("whsec_a", "whsec_b"))
    tenants = [Tenant(name="acme", hook_secrets=("whsec_c",), endpoints={"billing": endpoint})]
    found = hardening.of_rotation(tenants)
    assert (found.verdict, "acme/billing" in found.detail, "whsec_" in found.detail) == ("warn", True, False)


@pytest.mark.parametrize(
    ("patterns", "required", "verdict"),
    [
        (None, True, "ok"),
        (None, False, "warn"),
        (("billing.*@billing",), False, "ok"),
        (("billing.*@*",), True, "warn"),
        (("*@billing",), True, "warn"),
    ],
)
def test_celery_hooks_that_reach_any_task_or_queue_are_named(
    patterns: tuple[str, ...] | None, required: bool, verdict: str
) -> None:
    tenants = [Tenant(name="acme", celery_hooks=patterns)]
    assert hardening.of_celery_hooks(tenants, keys_required=required).verdict == verdict


def test_files_that_others_can_open_are_named(tmp_path: Path, results: Callable[..., dict[str, CheckResult]]) -> None:
    (tmp_path / ".env").touch(mode=0o600)
    assert results()["file modes"].verdict == "ok"
    (tmp_path / ".env").chmod(0o640)
    found = results()["file modes"]
    assert (found.verdict, ".env (0640)" in found.detail) == ("warn", True)
