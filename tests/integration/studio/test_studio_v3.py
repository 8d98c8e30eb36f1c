"""The v3 client over real HTTP: what it sends, what it reads, and how it treats a refused token."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted_vendor import bad, good, reply

from harness import ROOT
from renderline.studio import (
    PayloadRefused,
    Progress,
    Project,
    ProjectMissing,
    ProjectSummary,
    RateLimited,
    TokenRejected,
    VendorUnavailable,
)

ID = "65fa6b07dca2e367461a2925"
EXAMPLES = ROOT / "examples"
ONE, TWO = "token-one-aaaaaaaaaaaaaaaa", "token-two-bbbbbbbbbbbbbbbb"


@pytest.mark.contradiction(5)
def test_create_sends_the_raw_token_and_an_explicit_export_flag_and_returns_the_id(studio, vendor):
    vendor.will(good({"projectId": ID}), good({"projectId": ID}))
    assert studio.create_project({"scenes": [{"sceneIdx": 0}]}, export=False) == ID
    assert studio.create_simple_video({"text": "Hello."}, export=True) == ID
    create, simple = vendor.seen
    assert (create.method, create.path) == ("POST", "/api/odin/v3/editor/project")
    assert create.headers["Authorization"] == ONE
    assert create.headers["Content-Type"] == "application/json"
    assert create.body == {"scenes": [{"sceneIdx": 0}], "isExport": False}
    assert (simple.path, simple.body) == ("/api/odin/v3/simple/video", {"text": "Hello.", "isExport": True})


@pytest.mark.parametrize("name", ["v3-create-project-1.6.json", "v3-two-scenes.json", "v3-seed-landscape.json"])
def test_a_body_arrives_with_every_digit_of_its_floats(studio, vendor, name):
    body = json.loads((EXAMPLES / name).read_text())
    vendor.will(good({"projectId": ID}))
    studio.create_project(body, export=True)
    assert vendor.seen[0].body == {**body, "isExport": True}


@pytest.mark.contradiction(24)
def test_edit_export_template_and_delete_take_the_documented_form(studio, vendor):
    vendor.will(good({"projectId": "new"}), *[good({"projectId": ID})] * 3, good({"deletedCount": 1}))
    assert studio.edit_project(ID, {"updates": {"value": []}}, export=True) == "new"
    assert studio.export_project(ID, resolution="720", webhook_url="https://hooks.example.com/x") == ID
    assert studio.export_project(ID) == ID
    assert studio.create_from_template("tpl/1", {"aiName": "M1"}) == ID
    assert studio.delete_projects([ID, "other"]) == 1
    assert [(seen.method, seen.path, seen.body) for seen in vendor.seen] == [
        ("POST", f"/api/odin/v3/editor/project/{ID}", {"updates": {"value": []}, "isExport": True}),
        (
            "POST",
            "/api/odin/v3/editor/project/export",
            {"projectId": ID, "resolution": "720", "webhookUrl": "https://hooks.example.com/x"},
        ),
        ("POST", "/api/odin/v3/editor/project/export", {"projectId": ID}),
        ("POST", "/api/odin/v3/editor/template/tpl%2F1", {"aiName": "M1"}),
        ("DELETE", "/api/odin/v3/editor/project", {"ids": [ID, "other"]}),
    ]


def test_deleting_nothing_makes_no_call(studio, vendor):
    assert studio.delete_projects([]) == 0
    assert vendor.seen == []


@pytest.mark.parametrize("key", ["", " ", "..", "export", "pptpdf"])
def test_an_id_that_the_vendor_would_route_elsewhere_is_never_sent(studio, vendor, key):
    with pytest.raises(PayloadRefused, match="nothing was sent"):
        studio.edit_project(key, {}, export=True)
    assert vendor.seen == []


def test_a_body_without_a_json_form_is_refused_before_it_is_sent(studio, vendor):
    with pytest.raises(PayloadRefused, match="nothing was sent"):
        studio.create_project({"top": float("nan")}, export=False)
    assert vendor.seen == []


@pytest.mark.contradiction(1, 30)
def test_progress_project_and_list_are_read(studio, vendor):
    project = {
        "_id": ID,
        "name": "Welcome",
        "state": "exported",
        "progress": 100,
        "backendTaskId": "task-1",
        "creditSubstracted": True,
        "updatedAt": "2026-05-14T00:00:00Z",
        "download_url": "https://cdn.example.com/a.mp4",
        "scenes": [{}],
    }
    row = {"id": ID, "name": "Welcome", "state": "exported", "download_url": "https://cdn.example.com/a.mp4"}
    vendor.will(
        good({"progress": "41.5", "downloadUrl": None, "state": "rendering"}),
        good({"project": project}),
        good([row, {"name": "no id"}]),
        good({"total": 1, "projects": [row]}),
    )
    assert studio.progress(ID) == Progress(41.5, None, "rendering")
    assert studio.get_project(ID) == Project(
        ID, "Welcome", "exported", 100.0, "task-1", True, "https://cdn.example.com/a.mp4", "2026-05-14T00:00:00Z"
    )
    summary = ProjectSummary(ID, "Welcome", "exported", "https://cdn.example.com/a.mp4")
    assert studio.list_projects() == [summary]
    assert studio.list_projects() == [summary]
    assert [seen.path for seen in vendor.seen] == [
        f"/api/odin/v3/editor/progress/{ID}",
        f"/api/odin/v3/editor/project/{ID}",
        "/api/odin/v3/editor/project",
        "/api/odin/v3/editor/project",
    ]


def test_pick_lists_fall_back_to_the_short_model_list(studio, vendor):
    vendor.will(
        good({"models": [{"id": "M1", "clothes": []}]}),
        bad("NOT_FOUND", "no such route", status=404),
        good([{"id": "M1", "label": "Anna"}]),
        good({"workspaces": [{"workspaceId": "w", "workspaceName": "W"}]}),
    )
    assert studio.models() == [{"id": "M1", "clothes": []}]
    assert studio.models() == [{"id": "M1", "label": "Anna"}]
    assert studio.workspaces() == [{"workspaceId": "w", "workspaceName": "W"}]
    assert vendor.seen[2].path == "/api/odin/v3/dropdown/models"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_replaced_once_and_the_call_repeated(studio, vendor, tokens, status):
    vendor.will(bad(4010, "token", status=status), good({"projectId": ID}))
    assert studio.create_project({}, export=True) == ID
    assert tokens.rejected == [ONE]
    assert [seen.headers["Authorization"] for seen in vendor.seen] == [ONE, TWO]


def test_a_second_401_is_a_rejected_token_and_ends_the_matter(studio, vendor):
    vendor.will(bad(1, "old token", status=401), bad(2, "also this one", status=401))
    with pytest.raises(TokenRejected) as caught:
        studio.progress(ID)
    assert (caught.value.status, caught.value.code, caught.value.message) == (401, "2", "also this one")
    assert len(vendor.seen) == 2


@pytest.mark.contradiction(28)
def test_a_403_that_outlives_the_refresh_is_about_the_call(studio, vendor):
    vendor.will(*[bad("PLAN", "your plan does not include 4k", status=403)] * 2)
    with pytest.raises(PayloadRefused) as caught:
        studio.export_project(ID, resolution="4k")
    assert (caught.value.code, caught.value.message) == ("PLAN", "your plan does not include 4k")


def test_success_false_with_a_good_token_is_a_refused_payload(studio, vendor, tokens):
    vendor.will(bad(4000, "model not found"), good({"isAuthenticated": True}))
    with pytest.raises(PayloadRefused) as caught:
        studio.create_project({}, export=True)
    assert (caught.value.status, caught.value.code, caught.value.message) == (200, "4000", "model not found")
    assert [seen.path for seen in vendor.seen] == ["/api/odin/v3/editor/project", "/api/odin/v3/auth"]
    assert tokens.rejected == []


@pytest.mark.parametrize("denial", [good({"isAuthenticated": False}), bad(1, "no"), bad(1, "no", status=401)])
def test_success_false_with_a_bad_token_takes_the_refresh_path(studio, vendor, tokens, denial):
    vendor.will(bad(1, "jwt expired"), denial, good({"progress": 1}))
    assert studio.progress(ID).progress == 1.0
    assert tokens.rejected == [ONE]
    assert [seen.headers["Authorization"] for seen in vendor.seen] == [ONE, ONE, TWO]


def test_success_false_after_the_refresh_is_a_refused_payload(studio, vendor):
    vendor.will(bad(1, "first"), good({"isAuthenticated": False}), bad(2, "second"))
    with pytest.raises(PayloadRefused, match="second"):
        studio.progress(ID)
    assert len(vendor.seen) == 3


def test_success_false_is_taken_at_its_word_where_tokens_cannot_be_checked(studio, vendor):
    vendor.will(bad(1, "bad scene"), bad(None, "no such route", status=404))
    with pytest.raises(PayloadRefused, match="bad scene"):
        studio.create_project({}, export=True)


@pytest.mark.parametrize(
    ("step", "fault"), [(bad(1, "x", status=500), VendorUnavailable), (bad(1, "x", status=429), RateLimited)]
)
def test_a_check_that_fails_leaves_the_refused_call_repeatable(studio, vendor, step, fault):
    vendor.will(bad(1, "first"), step)
    with pytest.raises(fault):
        studio.create_project({}, export=True)


def test_confirm_token_reports_what_the_vendor_says(studio, vendor):
    vendor.will(good({"isAuthenticated": True}), good({"isAuthenticated": False}), bad(1, "no", status=401))
    assert [studio.confirm_token() for _ in range(3)] == [True, False, False]
    assert {seen.path for seen in vendor.seen} == {"/api/odin/v3/auth"}


@pytest.mark.parametrize("call", ["progress", "get_project", "export_project"])
def test_a_missing_project_has_a_fault_of_its_own(studio, vendor, call):
    vendor.will(bad("NOT_FOUND", "no such project", status=404))
    with pytest.raises(ProjectMissing, match="no such project"):
        getattr(studio, call)(ID)


def test_one_connection_serves_call_after_call(studio, vendor):
    vendor.will(*[good({"progress": step}) for step in range(20)])
    for _ in range(20):
        studio.progress(ID)
    assert vendor.connections == 1


def test_a_kept_connection_that_the_vendor_closed_is_replaced_silently(studio, vendor):
    vendor.will(reply({"success": True, "data": {"progress": 1}}, headers={"Connection": "close"}, close=True))
    vendor.will(good({"progress": 2}))
    assert [studio.progress(ID).progress for _ in range(2)] == [1.0, 2.0]
    assert vendor.connections == 2


def test_a_call_with_a_side_effect_uses_no_idle_connection(studio, vendor):
    studio._transport.effect_max_idle = 0.0
    vendor.will(good({"progress": 1}), good({"progress": 2}), good({"projectId": ID}), good({"progress": 3}))
    studio.progress(ID)
    studio.progress(ID)
    studio.export_project(ID)
    studio.progress(ID)
    assert [seen.connection for seen in vendor.seen] == [1, 1, 2, 2]


def test_threads_share_one_client(studio, vendor):
    barrier = threading.Barrier(8)

    def follow(_: int) -> list[float]:
        barrier.wait()
        return [studio.progress(ID).progress for _ in range(10)]

    vendor.will(*[good({"progress": 7})] * 80)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == [7.0] * 10 for found in pool.map(follow, range(8)))
    assert vendor.connections <= 8


def test_a_token_that_no_header_can_carry_is_treated_as_refused(studio, vendor, tokens):
    tokens._tokens[0] = "bad\r\nX-Injected: 1"
    vendor.will(good({"progress": 1}))
    assert studio.progress(ID).progress == 1.0
    assert [seen.headers["Authorization"] for seen in vendor.seen] == [TWO]
