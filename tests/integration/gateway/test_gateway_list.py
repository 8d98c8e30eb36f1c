"""The list of renders: filters, and pages that neither lose nor repeat a render."""

from datetime import UTC, datetime

import pytest
import requests

from harness.clock import Clock
from harness.gateway import assert_problem
from harness.ledger import accept_render
from renderline.contract import render_id_for_key
from renderline.ledger import Ledger


@pytest.fixture
def clock():
    return Clock(1_800_000_000.0)


@pytest.fixture
def accept(redis, clock):
    """Accept renders as the ledger does it, at a time of the test's choosing."""
    ledger = Ledger(redis, clock=clock)

    def accept(number, *, at=None, kind="project", account="default", metadata=None):
        clock.now = at or clock.now
        one = f"{number:032x}"
        meta = {"name": f"Render {number}", "hooks": [], "metadata": metadata or {}}
        accept_render(ledger, one, kind=kind, account=account, deadline=60.0, meta=meta)
        return one

    return accept


def page(gateway, **query):
    answer = gateway.ask("GET", "/v1/renders", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(gateway, **query):
    found = page(gateway, **query)
    assert found["next"] is None
    return [record["id"] for record in found["renders"]]


def iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def test_an_empty_list(gateway, redis):
    assert page(gateway) == {"renders": [], "next": None}


def test_newest_first(gateway, accept, clock):
    ids = [accept(number, at=clock.now + number) for number in range(3)]
    assert listed(gateway) == ids[::-1]


def test_filters(gateway, accept, redis):
    one = accept(1, metadata={"order": "A-17", "tier": "gold"})
    two = accept(2, kind="export", metadata={"order": "A-17"})
    three = accept(3, account="other", metadata={"order": 18})
    Ledger(redis).fail(three, code="1", message="no", origin="vendor")
    assert listed(gateway, kind="export") == [two]
    assert listed(gateway, account="other") == [three]
    assert listed(gateway, state="failed") == [three]
    assert listed(gateway, state="accepted", kind="project") == [one]
    assert listed(gateway, **{"metadata.order": "A-17"}) == [two, one]
    assert listed(gateway, **{"metadata.order": "18"}) == [three]
    assert listed(gateway, **{"metadata.order": "A-17", "metadata.tier": "gold"}) == [one]
    assert listed(gateway, **{"metadata.order": "none"}) == []


def test_a_search_and_the_filters_of_ids_keys_names_and_codes(gateway, accept, redis):
    one, two, three = (accept(number, metadata={"order": number}) for number in (1, 2, 3))
    keyed = accept(int(render_id_for_key("order-17"), 16))
    Ledger(redis).fail(three, code="50010", message="no credit", origin="vendor")
    assert listed(gateway, q="render 2 order:2") == [two]
    assert listed(gateway, q="order:3 state:failed") == listed(gateway, error_code="50010") == [three]
    assert listed(gateway, q=one) == listed(gateway, id=one) == [one]
    assert listed(gateway, id=[one, three, "f" * 32]) == [three, one]
    assert listed(gateway, key="order-17") == listed(gateway, q="order-17") == [keyed]
    assert listed(gateway, name="RENDER 1", q="state:accepted") == [one]
    assert listed(gateway, held="true") == []
    for query, path in (
        ({"q": "state:failed", "state": "failed"}, "q"),
        ({"q": "since:yesterday"}, "q"),
        ({"id": "x"}, "id.0"),
        ({"held": "maybe"}, "held"),
        ({"name": ["a", "b"]}, "name"),
    ):
        assert_problem(gateway.ask("GET", "/v1/renders", params=query), 422, path)


def test_statistics_count_renders_and_minutes(gateway, redis):
    ledger = Ledger(redis)
    accept_render(ledger, "1" * 32)
    accept_render(ledger, "2" * 32, account="other")
    answer = gateway.ask("GET", "/v1/statistics", params={"minutes": 3}).json()
    assert answer["totals"] == [
        {"state": "accepted", "kind": "project", "account": account, "tenant": "default", "count": 1}
        for account in ("main", "other")
    ]
    assert [sum(one["accepted"] for one in answer["minutes"]), len(answer["minutes"])] == [2, 3]
    assert_problem(gateway.ask("GET", "/v1/statistics", params={"minutes": 0}), 422, "minutes")


def test_times_are_those_of_acceptance_or_of_the_state(gateway, accept, clock, redis):
    start = clock.now
    ids = [accept(number, at=start + 10 * number) for number in range(4)]
    assert listed(gateway, after=iso(start + 10)) == ids[:0:-1]
    assert listed(gateway, before=iso(start + 10)) == ids[1::-1]
    assert listed(gateway, after=iso(start + 5), before=iso(start + 15)) == [ids[1]]
    Ledger(redis, clock=lambda: start + 100).fail(ids[0], code="1", message="no", origin="vendor")
    assert listed(gateway, state="failed", after=iso(start + 99)) == [ids[0]]
    assert listed(gateway, state="failed", before=iso(start + 99)) == []


@pytest.mark.parametrize("limit", [1, 7, 250])
def test_pages_over_renders_of_the_same_instant(gateway, accept, limit):
    ids = {accept(number, metadata={"odd": number % 2}) for number in range(20 if limit == 1 else 600)}
    seen, query = [], {"limit": limit}
    while True:
        found = page(gateway, **query)
        seen += [record["id"] for record in found["renders"]]
        if found["next"] is None:
            break
        query["cursor"] = found["next"]
    assert len(seen) == len(ids)
    assert set(seen) == ids


def test_what_arrives_between_two_pages_moves_nothing(gateway, accept, clock):
    ids = [accept(number) for number in range(6)]
    first = page(gateway, limit=3)
    accept(100, at=clock.now + 1)
    accept(3 << 64, at=clock.now)
    second = page(gateway, limit=3, cursor=first["next"])
    assert [record["id"] for record in first["renders"] + second["renders"]] == ids[::-1]


def test_the_link_leads_to_the_next_page_with_the_same_filters(gateway, accept):
    ids = [accept(number, metadata={"order": "A/17 &"}) for number in range(5)]
    accept(9)
    answer = gateway.ask("GET", "/v1/renders", params={"limit": 2, "kind": "project", "metadata.order": "A/17 &"})
    seen = [record["id"] for record in answer.json()["renders"]]
    while "next" in answer.links:
        answer = requests.get(gateway.url + answer.links["next"]["url"], timeout=30)
        seen += [record["id"] for record in answer.json()["renders"]]
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("state=done", ["state"]),
        ("kind=film&state=", ["kind", "state"]),
        ("limit=0", ["limit"]),
        ("limit=501", ["limit"]),
        ("limit=x", ["limit"]),
        ("cursor=x", ["cursor"]),
        ("cursor=nan-" + "0" * 32, ["cursor"]),
        ("cursor=1800000000.000-" + "0" * 32 + "%0a", ["cursor"]),
        ("after=yesterday", ["after"]),
        ("after=2025-01-01T00:00:00", ["after"]),
        ("before=2025-01-01", ["before"]),
        ("sate=failed", ["sate"]),
        ("limit=1&limit=2", ["limit"]),
        ("account=", ["account"]),
    ],
)
def test_bad_parameters_are_named(gateway, query, paths):
    assert_problem(gateway.ask("GET", f"/v1/renders?{query}"), 422, *paths)


@pytest.mark.parametrize("name", ["metadata.%00", "metadata.%ff", "metadata.", "metadata.%F0%9F%8E%AC"])
def test_odd_names_of_metadata_find_nothing(gateway, accept, name):
    accept(1)
    answer = gateway.ask("GET", f"/v1/renders?{name}=x")
    assert (answer.status_code, answer.json()["renders"]) == (200, [])


def test_times_from_the_ends_of_the_calendar(gateway, accept):
    one = accept(1)
    assert listed(gateway, after="0001-01-01T00:00:00+14:00", before="9999-12-31T23:59:59-14:00") == [one]
