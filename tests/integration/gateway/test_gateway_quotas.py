"""Quotas over HTTP: 429 with the limit, what is used and when it frees."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from harness import a_request
from harness.gateway_app import gateway_app
from renderline.tenants import Tenant, Tenants


@pytest.fixture
def client(redis: Redis) -> Any:
    tenants = Tenants([Tenant(name="default", max_in_flight=2, max_per_day=3)])
    return gateway_app(redis, tenants=tenants).test_client()


def submit(client: Any, key: str) -> Any:
    return client.post("/v1/renders", json=a_request(), headers={"Idempotency-Key": key})


def test_a_refusal_says_the_limit_what_is_used_and_when_to_come_back(client: Any) -> None:
    ids = [submit(client, key).json["id"] for key in ("a", "b")]
    refused = submit(client, "c")
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert refused.json["detail"].startswith("max_in_flight of tenant default: at most 2 renders in flight, 2")
    assert int(refused.headers["Retry-After"]) > 0
    assert submit(client, "a").status_code == 202, "a repetition is never refused"
    for one in ids:
        assert client.post(f"/v1/renders/{one}/cancel").status_code == 200
    assert submit(client, "c").status_code == 202
    over = submit(client, "d")
    assert over.json["detail"].startswith("max_per_day of tenant default: at most 3 ")
    assert 86_000 < int(over.headers["Retry-After"]) <= 87_000


def test_items_of_a_batch_are_refused_one_by_one_or_all(client: Any) -> None:
    requests = [{"request": a_request(), "key": key} for key in "abc"]
    together = client.post("/v1/renders/batch", json={"requests": requests, "all_or_nothing": True})
    assert together.status_code == 429
    assert "can never be accepted at once" in together.json["detail"]
    assert client.get("/v1/renders").json["renders"] == []
    answer = client.post("/v1/renders/batch", json={"requests": requests})
    assert [one["status"] for one in answer.json["results"]] == [202, 202, 429]
    assert "max_in_flight" in answer.json["results"][2]["detail"]
