"""A key reaches the renders of its tenant and nothing else, on every route of the OpenAPI document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from harness import a_request
from harness.gateway import ForkedGateway, Stream, assert_problem
from harness.ledger import LedgerDriver
from renderline.catalogue import CatalogueStore
from renderline.gateway.access import SCOPES
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import Audit

UNKNOWN = "0" * 32
ACTIONS = ("cancel", "retry", "adopt", "resubmit", "fail", "hold", "release")
THEIRS = {name: f"{number:x}" * 32 for number, name in enumerate(ACTIONS, 1)}
DEAD, DISCARDED = "d" * 32, "e" * 32
ENDED = "b" * 32
OWN = "a" * 32
PROJECT, TEMPLATE = "9" * 24, "8" * 24
LISTED = {
    "models": [{"id": "M1", "label": "Anna"}],
    "workspaces": [{"workspaceId": "W1", "workspaceName": "Team"}],
    "business_templates": [{"id": TEMPLATE, "name": "Template of globex"}],
    "projects": [{"id": PROJECT, "name": "Project of globex", "state": "exported"}],
    f"project:{PROJECT}": [{"id": PROJECT, "name": "Project of globex", "scenes": []}],
}
"""What workers read from the vendor: a project of globex, and a template that was granted to nobody."""

FOREIGN = "a render of another tenant is answered as an id that does not exist"
FOREIGN_PROJECT = "a project that a render of another tenant made is answered as one that does not exist"
LISTS = "nothing of another tenant is in the answer"
STREAM = "no event of another tenant is sent"
ACCEPTS = "the render is of the tenant of the key"
UPLOADS = "the file is of the tenant of the key"
BULK = "a filter selects renders of the tenant of the key alone"
OPERATOR = "for the scope operator alone, once there are several tenants"

EXPECTED = {
    ("GET", "/v1/accounts"): LISTS,
    ("GET", "/v1/accounts/{name}"): OPERATOR,
    ("POST", "/v1/accounts/{name}/pause"): OPERATOR,
    ("POST", "/v1/accounts/{name}/resume"): OPERATOR,
    ("GET", "/v1/dead-letters"): LISTS,
    ("GET", "/v1/models"): LISTS,
    ("GET", "/v1/projects"): LISTS,
    ("GET", "/v1/projects/{project_id}"): FOREIGN_PROJECT,
    ("GET", "/v1/projects/{project_id}/template"): FOREIGN_PROJECT,
    ("GET", "/v1/templates"): LISTS,
    ("GET", "/v1/workspaces"): LISTS,
    ("GET", "/v1/events"): STREAM,
    ("GET", "/v1/renders"): LISTS,
    ("POST", "/v1/renders"): ACCEPTS,
    ("POST", "/v1/renders/batch"): ACCEPTS,
    ("POST", "/v1/renders/bulk"): BULK,
    ("DELETE", "/v1/renders/{render_id}"): FOREIGN,
    ("GET", "/v1/renders/{render_id}"): FOREIGN,
    ("GET", "/v1/renders/{render_id}/events"): FOREIGN,
    ("GET", "/v1/renders/{render_id}/explanation"): FOREIGN,
    ("GET", "/v1/renders/{render_id}/timeline"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/adopt"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/cancel"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/fail"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/hold"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/links"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/release"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/hooks/{index}/discard"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/hooks/{index}/replay"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/resubmit"): FOREIGN,
    ("POST", "/v1/renders/{render_id}/retry"): FOREIGN,
    ("GET", "/v1/statistics"): LISTS,
    ("POST", "/v1/uploads"): UPLOADS,
}
"""What a key of one tenant gets on each route. A route that is missing here fails the test."""

PER_ANSWER = ("Date", "X-Request-Id")
"""Headers that are another in each answer."""
BODIES = {"adopt": {"project_id": "p9"}, "fail": {"message": "no"}}


@pytest.fixture(scope="module")
def gateway_options() -> dict[str, Any]:
    return {
        "RENDERLINE_API_KEYS_REQUIRED": "true",
        "RENDERLINE_SECRET_KEY": "signs the links of these tests, 32 and more",
    }


@pytest.fixture
def keys(redis: Redis) -> ApiKeys:
    return ApiKeys(redis)


def header(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def theirs(redis: Redis) -> dict[str, str]:
    return make_theirs(redis)


def make_theirs(redis: Redis) -> dict[str, str]:
    """Renders of the tenant globex in states where every operation applies; by the operation's name."""
    driver = LedgerDriver(redis)
    for one in (*THEIRS.values(), DEAD, DISCARDED, ENDED):
        driver.accept(one, tenant="globex", hooks=1)
    for due in driver.claim_due_polls(driver.start_all(DEAD, DISCARDED)):
        driver.record_result(due, "done", url="https://v/1.mp4")
    driver.ledger.fail(THEIRS["retry"], code="7001", message="no such voice", origin="vendor")
    driver.operations.hold(THEIRS["release"], by="anna", reason="")
    for name in ("adopt", "resubmit", "fail"):
        driver.start(THEIRS[name], confirmed=False)
    for one in (DEAD, DISCARDED):
        claim = driver.ledger.claim_hook(one, 0, lease=20.0)
        driver.ledger.record_hook(one, 0, claim, outcome="dead", error="410 Gone")
    driver.operations.cancel(ENDED)
    driver.accept(OWN, tenant="acme", hooks=1)
    redis.hset("renderline:project_tenants:default", PROJECT, "globex")
    lists = CatalogueStore(redis, clock=time.time)
    for name, rows in LISTED.items():
        lists.write("default", name, rows, at=time.time())
    redis.hset("renderline:project_tenants:main", "p9", "globex")
    assert driver.state(THEIRS["adopt"]) == "unconfirmed"
    assert driver.state(DEAD) == "undelivered"
    return {**THEIRS, "replay": DEAD, "discard": DISCARDED, "{render_id}": ENDED}


def snapshot(redis: Redis) -> dict[str, Any]:
    """Return everything that the ledger holds about the renders of globex."""
    ids = [*THEIRS.values(), DEAD, DISCARDED, ENDED]
    prefix = "renderline:"
    kept: dict[str, Any] = {one: redis.hgetall(f"{prefix}render:{one}") for one in ids}
    for one in ids:
        kept[f"{one} fixed"] = redis.mget(f"{prefix}meta:{one}", f"{prefix}body:{one}")
    kept["dead"] = redis.zrange(f"{prefix}dead_letters", 0, -1, withscores=True)
    kept["paused"] = redis.smembers(f"{prefix}paused")
    return kept


def operations(gateway: ForkedGateway) -> Iterator[tuple[str, str]]:
    document = gateway.ask("GET", "/openapi.json").json()
    for path, item in document["paths"].items():
        yield from ((method.upper(), path) for method in item if method != "parameters")


def test_the_document_of_the_gateway_has_the_routes_with_an_expectation(gateway):
    assert set(operations(gateway)) == set(EXPECTED)


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope not in ("operator", "metrics")])
def test_a_key_reaches_nothing_of_another_tenant_on_any_route(gateway, redis, keys, theirs, scope):
    mine = header(keys.create("acme", [scope], tenant="acme"))
    before = snapshot(redis)
    for method, path in sorted(operations(gateway)):
        expected = EXPECTED[method, path]
        if expected == FOREIGN:
            action = path.rpartition("/")[2]
            for one in {*theirs.values()}:
                _same_as_unknown(gateway, method, path, one, BODIES.get(action), mine)
        elif expected == FOREIGN_PROJECT:
            foreign, unknown = (
                gateway.ask(method, path.replace("{project_id}", one), headers=mine) for one in (PROJECT, "0" * 24)
            )
            assert foreign.status_code == unknown.status_code in (403, 404), path
            assert foreign.text == unknown.text
        elif expected == LISTS:
            shown = gateway.ask(method, path, headers=mine)
            assert shown.status_code in (200, 403), path
            assert PROJECT not in shown.text
            assert TEMPLATE not in shown.text
            assert not [one for one in theirs.values() if one in shown.text], path
            assert "globex" not in shown.text
        elif expected == BULK:
            for action in ("cancel", "retry", "hold", "release", "replay"):
                done = gateway.ask(method, path, {"action": action, "all": True}, headers=mine)
                assert done.status_code in (200, 403), path
                assert not [one for one in theirs.values() if one in done.text], action
                named = {"action": action, "filter": {"tenant": "globex", "ids": [*theirs.values()]}}
                assert gateway.ask(method, path, named, headers=mine).json().get("matched", 0) == 0
        elif expected == OPERATOR:
            answer = gateway.ask(method, path.replace("{name}", "default"), headers=mine)
            assert answer.status_code == 403, path
    assert snapshot(redis) == before, "nothing of the other tenant has changed"


def _same_as_unknown(gateway, method, path, one, body, headers):
    def answer(render_id: str) -> tuple[int, str, dict[str, str]]:
        place = path.replace("{render_id}", render_id).replace("{index}", "0")
        # A stream that opens would never end.
        got = gateway.ask(method, place, body, headers=headers, stream=True, timeout=5)
        try:
            assert got.status_code >= 400, f"{method} {place}: {got.status_code}"
            shown = {name: value for name, value in got.headers.items() if name not in PER_ANSWER}
            return got.status_code, got.text.replace(render_id, "ID"), shown
        finally:
            got.close()

    assert answer(one) == answer(UNKNOWN)


def test_the_owner_and_an_operator_reach_all_of_it(gateway, redis, keys, theirs):
    """What the test above forbids is possible, so it is the tenant that forbids it."""
    for scopes, tenant in ((["admin"], "globex"), (["operator"], None)):
        redis.flushall()
        theirs = make_theirs(redis)
        own = header(keys.create("own", scopes, tenant=tenant))
        for method, path in sorted(operations(gateway)):
            if EXPECTED[method, path] != FOREIGN or path.endswith("/events"):
                continue
            action = path.rpartition("/")[2]
            one = theirs.get(action, theirs["cancel"])
            place = path.replace("{render_id}", one).replace("{index}", "0")
            answer = gateway.ask(method, place, BODIES.get(action), headers=own)
            if action == "links":
                assert "not stored" in answer.json()["detail"], answer.text
                continue
            assert answer.status_code in (200, 202), (place, answer.text)
            assert answer.json().get("tenant", "globex") == "globex"
        listed = gateway.ask("GET", "/v1/renders", headers=own).json()["renders"]
        assert {*theirs.values()} <= {record["id"] for record in listed}


def test_the_list_shows_the_renders_of_the_tenant_in_every_state_and_pages_through_them(gateway, redis, keys, theirs):
    acme, globex = (header(keys.create(name, ["read"], tenant=name)) for name in ("acme", "globex"))
    default = header(keys.create("default", ["read"]))
    driver = LedgerDriver(redis)
    driver.accept("f" * 32)

    def ids(headers, **query):
        found, query["limit"] = [], 2
        while True:
            page = gateway.ask("GET", "/v1/renders", params=query, headers=headers).json()
            found += [record["id"] for record in page["renders"]]
            if page["next"] is None:
                return sorted(found)
            query["cursor"] = page["next"]

    assert ids(acme) == [OWN]
    assert ids(globex) == sorted(theirs.values())
    assert ids(default) == ["f" * 32]
    assert ids(globex, state="failed") == [theirs["retry"]]
    assert ids(acme, state="failed") == []
    driver.operations.cancel(OWN)
    assert ids(acme, state="canceled") == [OWN]
    assert ids(acme, state="accepted") == []


def test_dead_letters_are_those_of_the_tenant(gateway, keys, theirs):
    acme, globex, default = (header(keys.create(name, ["read"], tenant=name)) for name in ("acme", "globex", "default"))

    def dead(headers, **query):
        letters = gateway.ask("GET", "/v1/dead-letters", headers=headers, params=query).json()["dead_letters"]
        return sorted(letter["id"] for letter in letters)

    assert dead(globex) == [DEAD, DISCARDED]
    assert len(dead(globex, limit=1)) == 1
    assert dead(acme) == dead(default) == []
    assert dead(header(keys.create("operator", ["operator"]))) == [DEAD, DISCARDED]


def test_the_stream_of_all_events_has_those_of_the_tenant(gateway, redis, keys, theirs):
    def first_after(key: str) -> str:
        answer = gateway.ask("GET", "/v1/events", headers={**header(key), "Last-Event-ID": "0-1"}, stream=True)
        with Stream(answer) as stream:
            return stream.take().data["id"]

    driver = LedgerDriver(redis)
    driver.accept("f" * 32)
    assert first_after(keys.create("acme", ["read"], tenant="acme")) == OWN
    assert first_after(keys.create("default", ["read"])) == "f" * 32
    assert first_after(keys.create("globex", ["read"], tenant="globex")) in theirs.values()


def test_a_foreign_key_neither_answers_nor_conflicts_nor_squats(gateway, redis, keys):
    request, other = a_request(hooks=[]), a_request(name="Another", hooks=[])
    tenants = ("default", "acme", "globex")
    ids = []
    for tenant, body in zip(tenants, (request, other, request), strict=True):
        mine = header(keys.create(tenant, ["submit", "read"], tenant=tenant))
        answer = gateway.ask("POST", "/v1/renders", body, headers={**mine, "Idempotency-Key": "order-17"})
        assert answer.status_code == 202, answer.text
        record = answer.json()
        assert record["tenant"] == tenant
        assert record["accepted_by"].endswith(f"({tenant})")
        ids.append(record["id"])
        batch = {"requests": [{"request": body, "key": "order-17"}], "all_or_nothing": True}
        (again,) = gateway.ask("POST", "/v1/renders/batch", batch, headers=mine).json()["results"]
        assert again["id"] == record["id"], "the same key is the same render through every door of a tenant"
    assert len(set(ids)) == 3
    assert redis.hget(f"renderline:render:{ids[0]}", "tenant") is None, "a render of the default tenant stores none"


@pytest.mark.parametrize("named", ["globex", "default", "Globex", 7, ""])
def test_a_request_may_name_the_tenant_of_its_key_and_no_other(gateway, keys, named):
    mine = header(keys.create("acme", ["submit", "read"], tenant="acme"))
    assert_problem(
        gateway.ask("POST", "/v1/renders", {**a_request(hooks=[]), "tenant": named}, headers=mine), 422, "tenant"
    )
    batch = {"requests": [{"request": {**a_request(hooks=[]), "tenant": named}}]}
    (refused,) = gateway.ask("POST", "/v1/renders/batch", batch, headers=mine).json()["results"]
    assert (refused["status"], refused["id"]) == (422, None)
    own = gateway.ask("POST", "/v1/renders", {**a_request(hooks=[]), "tenant": "acme"}, headers=mine)
    assert own.json()["tenant"] == "acme"


def test_an_operator_submits_for_any_tenant(gateway, keys):
    mine = header(keys.create("operator", ["operator"]))
    assert gateway.ask("POST", "/v1/renders", a_request(hooks=[]), headers=mine).json()["tenant"] == "default"
    asked = {**a_request(hooks=[]), "tenant": "acme"}
    assert gateway.ask("POST", "/v1/renders", asked, headers=mine).json()["tenant"] == "acme"


def test_pausing_an_account_takes_an_operator_once_there_is_another_tenant(gateway, redis, keys):
    admin = header(keys.create("admin", ["admin"]))
    assert gateway.ask("POST", "/v1/accounts/default/pause", headers=admin).status_code == 200
    assert gateway.ask("POST", "/v1/accounts/default/resume", headers=admin).status_code == 200
    keys.create("acme", ["read"], tenant="acme")
    refused = assert_problem(gateway.ask("POST", "/v1/accounts/default/pause", headers=admin), 403)
    assert "operator" in refused["detail"]
    assert redis.smembers("renderline:paused") == set()
    operator = header(keys.create("operator", ["operator"]))
    assert gateway.ask("POST", "/v1/accounts/default/pause", headers=operator).json()["paused"] is True


def test_the_audit_trail_says_which_key_and_tenant_did_it(gateway, redis, keys, theirs):
    text = keys.create("billing", ["admin"], tenant="acme")
    mine, key_id = header(text), text.split("_")[1]
    gateway.ask("POST", f"/v1/renders/{OWN}/cancel", headers=mine)
    gateway.ask("POST", f"/v1/renders/{theirs['cancel']}/cancel", headers=mine)
    later, first = Audit(redis).entries(limit=2, tenant="acme")
    assert first[1:] == ("cancel", f"render {OWN}", "done", "http", "acme", key_id, "billing")
    assert (later.target, later.outcome.partition(":")[0]) == (f"render {theirs['cancel']}", "refused")


def test_the_log_says_which_key_and_tenant_called(gateway, keys, theirs):
    text = keys.create("billing", ["admin"], tenant="acme")
    _, key_id, secret = text.split("_", 2)
    gateway.ask("POST", f"/v1/renders/{OWN}/cancel", headers=header(text))
    log = gateway.output()
    for what in ("canceled", "answered"):
        (line,) = [one for one in log.splitlines() if what in one and key_id in one]
        assert "acme" in line
    assert secret not in log


def test_a_key_names_the_accounts_to_which_it_is_bound(redis, valkey, tmp_path):
    path = tmp_path / "accounts.toml"
    account = '[[account]]\nname = "{}"\napp_id = "a"\nuser_key = "secret-of-the-account"\n'
    path.write_text("".join(map(account.format, ("first", "second", "third"))))
    accounts = {"AISTUDIOS_ACCOUNTS": str(path), "AISTUDIOS_APP_ID": "", "AISTUDIOS_USER_KEY": ""}
    gateway = ForkedGateway(
        tmp_path / "log", **{"REDIS_URL": valkey.url, "RENDERLINE_API_KEYS_REQUIRED": "true", **accounts}
    )
    try:
        mine = header(ApiKeys(redis).create("k", ["submit", "read"], accounts=["first", "third"]))
        listed = gateway.ask("GET", "/v1/accounts", headers=mine).json()["accounts"]
        assert [account["name"] for account in listed] == ["first", "third"]
        for name, status in (("first", 202), ("second", 422), ("nobody", 422)):
            request = {**a_request(hooks=[]), "account": name}
            answer = gateway.ask("POST", "/v1/renders", request, headers=mine)
            assert answer.status_code == status, answer.text
            if status == 422:
                (error,) = answer.json()["errors"]
                assert error["path"] == "account"
                assert error["message"].endswith("known: first, third")
    finally:
        gateway.stop()


def test_a_key_spends_nothing_of_an_account_to_which_it_is_not_bound(gateway, redis, keys, theirs):
    bound = header(keys.create("bound", ["admin"], tenant="globex", accounts=["other"]))
    before = snapshot(redis)
    for operation in ("retry", "resubmit"):
        path = f"/v1/renders/{theirs[operation]}/{operation}"
        refused = assert_problem(gateway.ask("POST", path, headers=bound), 403)
        assert refused["detail"] == "This is a render for the account main; the API key may use other."
    assert snapshot(redis) == before
    free = header(keys.create("free", ["admin"], tenant="globex", accounts=["main"]))
    for operation in ("retry", "resubmit"):
        answer = gateway.ask("POST", f"/v1/renders/{theirs[operation]}/{operation}", headers=free)
        assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("tenant", ["acme", "default"])
def test_the_time_of_an_answer_does_not_tell_that_a_foreign_render_exists(gateway, redis, keys, driver, tenant):
    """The id of a render with an idempotency key can be derived: from the key, and the name of the tenant."""
    long = {"order": "x" * 15_000}
    driver.ledger.accept(replace(driver.entry(OWN, tenant="globex"), meta={"name": "n", "hooks": [], "metadata": long}))
    mine = header(keys.create("k", ["read"], tenant=tenant))

    def read_of(one: str) -> int:
        """Return how many bytes Redis sends for the answer, a measure of the work for it."""
        before = redis.info("stats")["total_net_output_bytes"]
        assert_problem(gateway.ask("GET", f"/v1/renders/{one}", headers=mine), 404)
        return int(redis.info("stats")["total_net_output_bytes"]) - int(before)

    read_of(OWN)  # has the key checked and its use noted
    assert abs(read_of(OWN) - read_of("e" * 32)) < 5_000
