"""The vendor's lists over HTTP: from the cache alone, searched, page by page, and for each tenant what it may name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness.editor_project import read_back
from harness.gateway import GatewayProcess, assert_problem
from harness.pick_lists import JONATHAN, RUBY
from renderline.catalogue import CatalogueStore
from renderline.gateway.api_keys import ApiKeys
from renderline.kinds.editor.outline import outline

WANTED = "renderline:wanted_lists:default"
PROJECTS = [{"id": f"{number:024x}", "name": f"Video {number}", "state": "exported"} for number in range(1200)]
MINE, GRANTED, OTHERS, NOBODYS = (PROJECTS[number]["id"] for number in (700, 900, 1000, 1100))
TENANTS = f"""
[[tenant]]
name = "acme"
projects = ["{GRANTED}"]
templates = ["T2"]
[[tenant]]
name = "globex"
accounts = []
"""


@pytest.fixture(scope="module")
def gateway_options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = Path(tmp_path_factory.mktemp("tenants") / "tenants.toml")
    path.write_text(TENANTS)
    return {"RENDERLINE_API_KEYS_REQUIRED": "true", "RENDERLINE_TENANTS": str(path)}


@pytest.fixture
def lists(redis: Redis) -> CatalogueStore:
    return CatalogueStore(redis, clock=time.time)


@pytest.fixture
def ask(gateway: GatewayProcess, redis: Redis):
    keys: dict[str, str] = {}

    def ask(path: str, *, tenant: str = "default", **query: Any):
        if tenant not in keys:
            keys[tenant] = ApiKeys(redis).create(tenant, ["read"], tenant=tenant)
        return gateway.ask("GET", path, params=query, headers={"Authorization": f"Bearer {keys[tenant]}"})

    return ask


def test_without_a_list_the_workers_are_asked_and_the_caller_is_to_come_again(ask, redis, lists):
    paths = ("/v1/models", "/v1/workspaces", "/v1/templates", "/v1/projects", f"/v1/projects/{NOBODYS}")
    for path in paths:
        answer = ask(path)
        problem = assert_problem(answer, 503)
        assert answer.headers["Retry-After"] == "2"
        assert problem["detail"] == "There is no such list of account default yet; a worker has been asked to read it."
    assert ask("/v1/templates", category="social").status_code == 503
    assert redis.smembers(WANTED) == {
        *("models", "workspaces", "business_templates", "projects", f"project:{NOBODYS}"),
        "automation_templates.social",
    }
    lists.note_failure("default", "models", "the list is broken")
    answer = ask("/v1/models")
    assert "the list is broken" in assert_problem(answer, 503)["detail"]
    assert answer.headers["Retry-After"] == "30"


def test_models_are_searched_and_come_page_by_page(ask, lists, redis):
    lists.write("default", "models", [JONATHAN, RUBY], at=time.time())
    answer = ask("/v1/models").json()
    assert [row["id"] for row in answer["models"]] == ["M000045058", "M000004017"]
    expected = {"account": "default", "stale": False, "error": None, "complete": True, "next": None}
    assert {name: answer[name] for name in expected} == expected
    assert answer["age"] < 60
    (found,) = ask("/v1/models", search="조나단 NAVY").json()["models"]
    assert found["clothes"][0]["id"] == "BG00002320"
    first = ask("/v1/models", limit=1).json()
    second = ask("/v1/models", limit=1, cursor=first["next"]).json()
    assert [page["models"][0]["id"] for page in (first, second)] == ["M000045058", "M000004017"]
    assert second["next"] is None
    assert redis.scard(WANTED) == 0


def test_an_old_list_is_shown_while_it_is_read_anew(ask, lists, redis):
    lists.write("default", "workspaces", [{"workspaceId": "W1", "workspaceName": "Team"}], at=time.time() - 4000)
    lists.note_failure("default", "workspaces", "the vendor does not answer")
    answer = ask("/v1/workspaces").json()
    assert answer["workspaces"] == [{"workspaceId": "W1", "workspaceName": "Team"}]
    assert (answer["stale"], answer["error"]) == (True, "the vendor does not answer")
    assert answer["age"] >= 4000
    assert redis.smembers(WANTED) == {"workspaces"}


def test_a_tenant_sees_the_projects_that_it_made_or_was_granted(ask, lists, redis):
    lists.write("default", "projects", PROJECTS, at=time.time())
    for project, tenant in ((MINE, "acme"), (OTHERS, "globex")):
        redis.hset("renderline:project_tenants:default", project, tenant)
    first = ask("/v1/projects", tenant="acme", limit=1).json()
    assert [row["id"] for row in first["projects"]] == [MINE]
    rest = ask("/v1/projects", tenant="acme", cursor=first["next"]).json()
    assert ([row["id"] for row in rest["projects"]], rest["next"]) == ([GRANTED], None)
    own, cursor = [], 0
    while cursor is not None:
        page = ask("/v1/projects", limit=500, cursor=cursor).json()
        own += [row["id"] for row in page["projects"]]
        cursor = page["next"]
    assert len(own) == len(set(own)) == len(PROJECTS) - 2
    assert {MINE, OTHERS} & {*own} == set()
    assert ask("/v1/projects", search="video 700").json()["projects"] == []
    assert [row["id"] for row in ask("/v1/projects", search="video 77", state="Exported").json()["projects"]][:1]
    assert ask("/v1/projects", state="rendering").json()["projects"] == []


def test_the_position_of_the_next_row_does_not_tell_how_many_others_have(ask, lists, redis):
    lists.write("default", "projects", PROJECTS, at=time.time())
    redis.hset("renderline:project_tenants:default", MINE, "acme")
    assert ask("/v1/projects", tenant="acme", limit=1).json()["next"] == 1
    assert ask("/v1/projects", tenant="acme", cursor=2).json()["projects"] == []
    lists.write("default", "business_templates", [{"id": "T1"}, {"id": "T2"}], at=time.time())
    assert ask("/v1/templates", tenant="acme", cursor=1).json()["templates"] == []


def test_a_tenant_sees_the_templates_that_it_was_granted(ask, lists):
    rows = [{"id": f"T{number}", "name": "Welcome"} for number in range(3)]
    lists.write("default", "business_templates", rows, at=time.time())
    lists.write("default", "automation_templates.social", rows, at=time.time())
    for query in ({}, {"category": "social"}):
        assert [row["id"] for row in ask("/v1/templates", tenant="acme", **query).json()["templates"]] == ["T2"]
        assert len(ask("/v1/templates", **query).json()["templates"]) == 3


def test_the_outline_of_a_project_is_for_those_who_may_name_it(ask, lists, redis):
    for project, tenant in ((MINE, "acme"), (OTHERS, "globex")):
        redis.hset("renderline:project_tenants:default", project, tenant)
    for project in (MINE, GRANTED, OTHERS, NOBODYS):
        lists.write("default", f"project:{project}", [{"id": project, "scenes": [{"scene": 0}]}], at=time.time())
    for project in (MINE, GRANTED):
        shown = ask(f"/v1/projects/{project}", tenant="acme").json()
        assert shown["project"] == {"id": project, "scenes": [{"scene": 0}]}
    for project in (OTHERS, NOBODYS):
        assert_problem(ask(f"/v1/projects/{project}", tenant="acme"), 404)
    assert ask(f"/v1/projects/{NOBODYS}").status_code == 200
    assert_problem(ask(f"/v1/projects/{OTHERS}"), 404)
    assert redis.scard(WANTED) == 0, "nothing of another tenant is asked of the vendor"
    lists.write("default", "project:gone", [], at=time.time())
    assert_problem(ask("/v1/projects/gone"), 404)


def test_a_request_with_placeholders_is_for_those_who_may_name_its_project(ask, lists):
    outlined = outline(read_back(GRANTED))
    for project in (GRANTED, OTHERS):
        lists.write("default", f"project:{project}", [{**outlined, "id": project}], at=time.time())
    written = ask(f"/v1/projects/{GRANTED}/template", tenant="acme").json()
    assert written["request"]["project_id"] == GRANTED
    assert {"tag": "parrot-text", "text": "{{parrot_text}}"} in written["request"]["replace"]
    assert written["example"]["parrot_text"] == "A parrot"
    more = ask(f"/v1/projects/{GRANTED}/template", tenant="acme", all="true").json()
    assert {*written["example"]} < {*more["example"]}
    assert_problem(ask(f"/v1/projects/{OTHERS}/template", tenant="acme"), 404)
    assert_problem(ask(f"/v1/projects/{GRANTED}/template", tenant="acme", all="maybe"), 422, "all")


def test_an_account_that_the_tenant_may_not_use_is_none(ask, lists):
    lists.write("default", "models", [JONATHAN], at=time.time())
    assert_problem(ask("/v1/models", tenant="globex"), 422, "account")
    problem = assert_problem(ask("/v1/models", account="elsewhere"), 422, "account")
    assert problem["errors"][0]["message"] == "unknown account; known: default"


@pytest.mark.parametrize(
    ("path", "query", "wrong"),
    [
        ("/v1/models", {"limit": 0}, "limit"),
        ("/v1/models", {"cursor": "x"}, "cursor"),
        ("/v1/models", {"serach": "x"}, "serach"),
        ("/v1/models", {"search": "x" * 201}, "search"),
        ("/v1/templates", {"category": "news"}, "category"),
        ("/v1/models", {"state": "exported"}, "state"),
    ],
)
def test_a_wrong_parameter_is_named(ask, path, query, wrong):
    assert_problem(ask(path, **query), 422, wrong)


def test_what_a_gateway_may_not_ask_for_it_does_not(ask, redis):
    for path in ("/v1/projects/export%2F..", f"/v1/projects/{'a' * 65}", "/v1/projects/a b"):
        assert ask(path).status_code == 404
    assert redis.scard(WANTED) == 0


def test_callers_cannot_make_workers_read_without_end(ask, redis):
    for number in range(205):
        assert ask(f"/v1/projects/unknown-{number}").status_code == 503
    assert redis.scard(WANTED) == 200
