"""Many renders at once, hold and release, and the explanation, over HTTP."""

import pytest

from harness import a_request
from harness.gateway import assert_problem
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import Ledger

PATH = "/v1/renders/bulk"


@pytest.fixture(scope="module")
def gateway_options():
    return {"RENDERLINE_API_KEYS_REQUIRED": "true"}


@pytest.fixture
def ask(gateway, redis):
    keys = ApiKeys(redis)

    def ask(method, path, body=None, *, scope="admin"):
        header = {"Authorization": f"Bearer {keys.create(scope, [scope])}"}
        return gateway.ask(method, path, body, headers=header)

    return ask


def renders(ask, count, **changes):
    return [ask("POST", "/v1/renders", a_request(hooks=[], **changes)).json()["id"] for _ in range(count)]


def test_failed_renders_are_retried_by_a_search_text(ask, redis, ledger):
    ids = renders(ask, 3)
    for one in ids[:2]:
        ledger.fail(one, code="7001", message="no such voice", origin="vendor")
    wanted = {"action": "retry", "filter": {"q": "code:7001", "after": "2020-01-01T00:00:00Z"}}
    dry = ask("POST", PATH, {**wanted, "dry_run": True}, scope="submit")
    assert dry.status_code == 200, dry.text
    assert {*dry.json()["done"]} == {*ids[:2]}
    assert dry.json()["dry_run"] is True
    first = ask("POST", PATH, {**wanted, "limit": 1}).json()
    assert (first["matched"], first["more"]) == (1, True)
    rest = ask("POST", PATH, {**wanted, "cursor": first["cursor"]}).json()
    assert {*first["done"], *rest["done"]} == {*ids[:2]}
    assert rest["cursor"] is None


@pytest.mark.parametrize("action", ["hold", "release", "replay"])
def test_what_is_for_admins_is_not_for_submitters(ask, action):
    refused = assert_problem(ask("POST", PATH, {"action": action, "all": True}, scope="submit"), 403)
    assert "admin" in refused["detail"]
    (one,) = renders(ask, 1)
    if action != "replay":
        assert ask("POST", f"/v1/renders/{one}/{action}", scope="submit").status_code == 403


def test_a_render_is_held_explained_and_released(ask):
    (one,) = renders(ask, 1)
    held = ask("POST", f"/v1/renders/{one}/hold", {"reason": "checking the script"})
    assert held.status_code == 200, held.text
    assert held.json()["state"] == "accepted"
    assert (held.json()["held"]["by"], held.json()["held"]["reason"]) == ("admin", "checking the script")
    said = ask("GET", f"/v1/renders/{one}/explanation", scope="read").json()
    assert said["sentence"].startswith("Held by admin since ")
    assert said["action"] == f"It goes on with: renderline release {one}."
    assert ask("POST", f"/v1/renders/{one}/release").json()["held"] is None
    assert_problem(ask("POST", f"/v1/renders/{one}/release"), 409)
    ask("POST", f"/v1/renders/{one}/cancel")
    assert_problem(ask("POST", f"/v1/renders/{one}/hold"), 409)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "action"),
        ({"action": "retry"}, "filter"),
        ({"action": "explode", "all": True}, "action"),
        ({"action": "retry", "filter": {"state": "delivered"}}, "filter.state"),
        ({"action": "retry", "filter": {"stat": "failed"}}, "filter.stat"),
        ({"action": "retry", "filter": {"after": "yesterday"}}, "filter.after"),
        ({"action": "retry", "filter": {"q": "state:"}}, "filter.q"),
        ({"action": "retry", "filter": {"metadata": {"order": 7}}}, "filter.metadata.order"),
        ({"action": "retry", "filter": {"ids": ["x"]}}, "filter.ids.0"),
        ({"action": "retry", "all": True, "limit": 1001}, "limit"),
        ({"action": "retry", "all": True, "cursor": "x"}, "cursor"),
        ({"action": "retry", "all": True, "cursor": "failed/x"}, "cursor"),
        ({"action": "retry", "all": True, "cursor": f"failed/nan-{'0' * 32}"}, "cursor"),
        ({"action": "retry", "filter": {"metadata": {f"k{one}": "" for one in range(101)}}}, "filter.metadata"),
        ({"action": "hold", "all": True, "reason": "two\nlines"}, "reason"),
    ],
)
def test_a_wrong_field_is_named(ask, body, path):
    assert_problem(ask("POST", PATH, body), 422, path)


def test_the_metadata_select(ask, redis):
    (one, _) = (renders(ask, 1, metadata={"customer": "317"})[0], renders(ask, 1))
    done = ask("POST", PATH, {"action": "cancel", "filter": {"metadata": {"customer": "317"}}}).json()
    assert done["done"] == [one]
    assert Ledger(redis).record(one)["state"] == "canceled"
