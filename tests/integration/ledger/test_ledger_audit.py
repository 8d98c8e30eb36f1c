"""The audit trail: bounded, and for each tenant by itself."""

from __future__ import annotations

import pytest
from redis import Redis

from renderline.ledger import Audit, Keys, audit
from renderline.tenants import COMMAND_LINE, DEFAULT, Actor

MANY = 500


def actor(tenant: str | None) -> Actor:
    return Actor(door="http", tenant=tenant, key_id="0123456789ab", name="k")


@pytest.fixture
def trail(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.setattr(audit, "MOST_ENTRIES", 100)
    redis.sadd(Keys().tenants, "acme", "mallory")  # as the first key of a tenant does
    return Audit(redis)


@pytest.mark.parametrize("busy", ["mallory", DEFAULT])
def test_a_busy_tenant_pushes_out_what_it_did_itself_alone(trail: Audit, busy: str) -> None:
    trail.note("pause", COMMAND_LINE, "account main")
    trail.note("cancel", actor(None), "render o")
    trail.note("adopt", actor("acme"), "render a")
    for number in range(MANY):
        trail.note("cancel", actor(busy), f"render {number}", "refused: Render not found.")
    found = trail.entries(limit=MANY)
    assert {one.target for one in found[-3:]} == {"render a", "render o", "account main"}
    assert found[0].target == f"render {MANY - 1}"
    assert len(found) < MANY
    assert [one.target for one in trail.entries(tenant="acme")] == ["render a"]


def test_entries_of_all_tenants_are_in_the_order_of_their_times(trail: Audit, redis: Redis) -> None:
    tenants = [None, "acme", DEFAULT, "mallory", "acme", None]
    for number, tenant in enumerate(tenants):
        fields = {"action": "cancel", "target": str(number), "outcome": "done", "tenant": tenant or ""}
        redis.xadd(Keys().audit_of(tenant), fields, id=f"{number + 9}-0")
    assert [one.tenant for one in trail.entries(limit=4)] == ["", "acme", "mallory", DEFAULT]
    assert [one.target for one in trail.entries()] == ["5", "4", "3", "2", "1", "0"]
    assert [one.target for one in trail.entries(tenant="acme", limit=1)] == ["4"]


def test_what_was_noted_before_tenants_had_trails_of_their_own_is_shown(trail: Audit, redis: Redis) -> None:
    redis.xadd("renderline:audit", {"action": "cancel", "target": "old", "outcome": "done", "tenant": "acme"})
    trail.note("cancel", actor("acme"), "new")
    assert [one.target for one in trail.entries(tenant="acme")] == ["new", "old"]
