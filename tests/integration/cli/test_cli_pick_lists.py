"""The vendor's lists on the command line: cached for all, read anew on request, old while the vendor fails."""

from __future__ import annotations

import pytest

from harness import until
from harness.editor_project import editor_project
from harness.pick_lists import JONATHAN, RUBY, Lists
from renderline.catalogue import PICK_LISTS

KEY = "renderline:catalogue:default:models"


@pytest.fixture
def lists(vendor, environ):
    environ["AISTUDIOS_BASE_URL"] = vendor.url
    found = Lists(vendor)
    found.rows["/model"] = [JONATHAN, RUBY]
    return found


@pytest.fixture
def sandbox_run(run, shared_sandbox, environ, local_worker):
    # The account of the local worker, whose projects are seen.
    environ["AISTUDIOS_APP_ID"] = local_worker.app_id
    environ["AISTUDIOS_BASE_URL"] = shared_sandbox.url
    return run


def test_models_are_searched_in_any_language_by_position_or_option(run, lists):
    for arguments in (["NAVY", "jonathan"], ["--search", "조나단"], ["navy", "--search", "BG0000"]):
        (row,) = run("models", *arguments, "--json").value
        assert row["id"] == "M000045058"
    assert run("models", "nobody", "--json").value == []
    assert "Navy suit" in run("models").out
    assert lists.asked() == 1, "one call of the vendor for all of these commands"


def test_a_list_is_read_anew_on_request(run, lists):
    run("models")
    lists.rows["/model"] = [RUBY]
    assert len(run("models", "--json").value) == 2
    assert [row["id"] for row in run("models", "--refresh", "--json").value] == ["M000004017"]


def test_while_the_vendor_fails_the_old_list_is_shown_with_its_age(run, lists, vendor, redis):
    run("models")
    redis.hset(KEY, "at", float(redis.hget(KEY, "at")) - 7200)
    lists.rows["/model"] = lambda call: vendor.answer(call)  # 404
    result = run("models", "--json")
    assert (result.code, len(result.value)) == (0, 2)
    assert "this list is 2h old" in result.err
    assert "HTTP 404" in result.err


def test_clothes_of_a_model(run, lists):
    assert run("clothes", "M000045058", "--json").value == [{"id": "BG00002320", "label": {"en": "Navy suit"}}]
    missing = run("clothes", "Jonathan")
    assert missing.code == 5
    assert "no model Jonathan in the list of account default; did you mean M000045058?" in missing.err


def test_workspaces_and_templates(sandbox_run):
    (workspace,) = sandbox_run("workspaces", "team", "--json").value
    assert workspace["workspaceName"] == "Team workspace"
    found = sandbox_run("templates", "--json").value
    assert found
    assert all(row["id"] and row["name"] for row in found)
    for category in ("social", "business", "education"):
        rows = sandbox_run("templates", "--category", category, "--json").value
        assert {row["orientation"] for row in rows} <= {"web", "mobile"}, category
        assert {row["category"] for row in rows} == {category}
    assert sandbox_run("templates", "--category", "news").code == 2


def _state_of(sandbox, project):
    (found,) = [one for one in sandbox.projects() if one["id"] == project]
    return found["state"]


def test_projects_and_the_outline_of_one(sandbox_run, shared_sandbox, local_worker):
    made = editor_project(name="Cockatoos")
    project = local_worker.v3.create_project({**made, "scenes": made["scenes"][:1]}, export=False)
    shown = sandbox_run("projects", "show", project)
    assert shown.code == 0, shown.err
    assert "parrot-text" in shown.out
    outlined = sandbox_run("projects", "show", project, "--json").value
    assert outlined["id"] == project
    assert [clip["tag"] for clip in outlined["scenes"][0]["clips"]] == [None, "parrot-image", "parrot-text"]
    local_worker.v3.export_project(project)
    until(lambda: _state_of(shared_sandbox, project) == "exported", what="the end of the render")
    (row,) = sandbox_run("projects", "--refresh", "--search", "cockatoos", "--state", "exported", "--json").value
    assert row == {"id": project, "name": "Cockatoos", "state": "exported"}
    assert sandbox_run("projects", "--state", "rendering", "--json").value == []
    missing = sandbox_run("projects", "show", "f" * 24)
    assert missing.code == 5
    assert "no project" in missing.err


def test_every_list_is_one_that_the_vendor_has(sandbox_run, shared_sandbox, local_worker):
    for one in PICK_LISTS.values():
        one.rows(local_worker.v3)


def test_an_unknown_account_and_one_without_credentials(run, environ):
    assert run("models", "--account", "elsewhere").code == 5
    del environ["AISTUDIOS_APP_ID"], environ["AISTUDIOS_USER_KEY"]
    result = run("projects")
    assert result.code == 2
    assert "AISTUDIOS_APP_ID" in result.err
    assert run("models", AISTUDIOS_V2_SECRET_KEY="a-key-of-the-older-api").code == 2


def test_a_vendor_that_fails_without_an_old_list_is_an_error_of_one_line(run, lists, vendor):
    lists.rows["/model"] = lists.rows["/dropdown/models"] = lambda call: vendor.answer(call)
    result = run("models")
    assert result.code == 1
    assert result.err.count("\n") == 1
