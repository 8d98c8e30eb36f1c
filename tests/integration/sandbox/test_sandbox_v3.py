"""The v3 API as a caller sees it."""

import json
from typing import Any

import jwt
import pytest
import requests
from sandbox_client import V3, Caller, SandboxClient, project, running

from harness import ROOT, until


def test_token_and_check(emulator: SandboxClient, caller: Caller) -> None:
    claims = jwt.decode(caller.token, options={"verify_signature": False})
    assert (claims["appId"], claims["exp"] - claims["iat"]) == ("app", 86400)
    assert caller.data("GET", "/auth") == {"isAuthenticated": True}
    assert emulator.call("POST", f"{V3}/auth/token", json={"appId": "x"}).status_code == 400


@pytest.mark.parametrize("header", [None, "Bearer {}", "{}x", "nonsense"])
def test_wrong_tokens(emulator: SandboxClient, caller: Caller, header: str | None) -> None:
    headers = {"Authorization": header.format(caller.token)} if header else {}
    answer = emulator.call("GET", f"{V3}/auth", headers=headers)
    assert answer.status_code == 401
    body = answer.json()
    assert (body["success"], set(body["error"])) == (False, {"code", "msg"})


def test_revoked_and_expired_tokens(emulator: SandboxClient, caller: Caller) -> None:
    emulator.control("POST", "revoke-tokens")
    assert caller.call("GET", "/auth").status_code == 401
    assert Caller(emulator).call("GET", "/auth").status_code == 200
    with running("--token-seconds", "0") as short:
        assert "expired" in Caller(short).call("GET", "/auth").json()["error"]["msg"]


def test_draft_renders_only_once_exported(emulator: SandboxClient, caller: Caller) -> None:
    draft = caller.create(export=False, name="Mine", extra={"kept": [1.25]})
    assert caller.progress(draft) == {"progress": 0.0, "state": "draft"}
    seen = caller.data("GET", f"/editor/project/{draft}")["project"]
    assert (seen["_id"], seen["name"], seen["extra"], seen["userId"]) == (draft, "Mine", {"kept": [1.25]}, "app")
    assert (seen["backendTaskId"], seen["exportType"], seen["creditSubstracted"]) == (None, None, False)
    assert seen["scenes"] == project()["scenes"]
    assert caller.data("POST", "/editor/project/export", {"projectId": draft}) == {"projectId": draft}
    started = caller.progress(draft)
    assert started["state"] == "exporting"
    assert "downloadUrl" not in started
    emulator.control("POST", "complete", {"id": draft})
    done = caller.progress(draft)
    assert (done["progress"], done["state"]) == (100.0, "exported")
    seen = caller.data("GET", f"/editor/project/{draft}")["project"]
    assert (seen["state"], seen["progress"], seen["creditSubstracted"]) == ("exported", 100, True)
    assert seen["download_url"] == done["downloadUrl"]
    assert seen["backendTaskId"] not in (None, draft)
    assert seen["updatedAt"] >= seen["createdAt"]


def test_progress_follows_the_clock(quick: Caller) -> None:
    made = quick.create(export=True)
    seen: list[dict[str, Any]] = []
    until(lambda: seen.append(quick.progress(made)) or seen[-1]["progress"] == 100)
    values = [entry["progress"] for entry in seen]
    assert values == sorted(values)
    assert len(set(values)) > 2
    assert all(round(value, 2) == value for value in values)
    assert all(("downloadUrl" in entry) == (entry["progress"] == 100) for entry in seen)


def test_second_export_is_visible_and_charged(quick: Caller) -> None:
    made = quick.create(export=True)
    quick.data("POST", "/editor/project/export", {"projectId": made})
    control = quick.emulator.control
    until(lambda: control("GET", "stats")["rendering_now"] == 0)
    (shown,) = control("GET", f"projects?id={made}")
    assert (shown["exports"], shown["credits"], shown["draft"]) == (2, 2, False)


@pytest.mark.parametrize("name", ["v3-seed-landscape", "v3-two-scenes", "v3-create-project-1.6"])
def test_vendor_samples_are_accepted(caller: Caller, name: str) -> None:
    body = json.loads((ROOT / "examples" / f"{name}.json").read_text())
    made = caller.data("POST", "/editor/project", body)["projectId"]
    assert caller.data("GET", f"/editor/project/{made}")["project"]["scenes"] == body["scenes"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"{}"])
def test_bodies_that_are_none(caller: Caller, body: bytes) -> None:
    answer = caller.emulator.call("POST", f"{V3}/editor/project", data=body, headers={"Authorization": caller.token})
    assert answer.status_code == 400
    assert answer.json()["success"] is False


def test_refused_body_creates_nothing(caller: Caller) -> None:
    answer = caller.call("POST", "/editor/project", project(orientation="square"))
    assert "orientation: must be one of" in answer.json()["error"]["msg"]
    assert caller.emulator.control("GET", "projects") == []


def test_simple_calls_and_their_defaults(caller: Caller) -> None:
    body = {"language": "en", "text": "Sample", "model": "M000045058", "clothes": "BG00002320"}
    video = caller.data("POST", "/simple/video", body)["projectId"]
    assert caller.progress(video)["state"] == "draft"
    custom = caller.data("POST", "/simple/custom", body)
    assert caller.progress(custom["projectId"])["state"] == "exporting"
    assert custom["taskId"]
    seen = caller.data("GET", f"/editor/project/{video}")["project"]
    assert seen["scenes"][0]["scripts"][0]["org"] == "Sample"


TEMPLATE = "65fa6b07dca2e367461a2925"


@pytest.mark.contradiction(16)
@pytest.mark.parametrize(
    "how",
    [
        {"params": {"name": "Mine", "model": "M1", "clothes": "B1"}},
        {"json": {"name": "Mine", "aiName": "M1", "clothId": "B1"}},
        {"json": {"params": {"name": "Mine", "aiName": "M1", "clothes": "B1"}}},
        {"data": {"name": "Mine", "aiName": "M1", "clothId": "B1"}},
    ],
)
def test_template_takes_fields_anywhere(caller: Caller, how: dict[str, Any]) -> None:
    path, headers = f"{V3}/editor/template/{TEMPLATE}", {"Authorization": caller.token}
    made = caller.emulator.call("POST", path, headers=headers, **how).json()["data"]["projectId"]
    seen = caller.data("GET", f"/editor/project/{made}")["project"]
    assert (seen["name"], seen["state"], seen["templateId"]) == ("Mine", "draft", TEMPLATE)
    assert seen["scenes"][0]["clips"][0]["model"] == {"ai_name": "M1", "emotion": "B1"}


def test_edit_changes_the_same_project(caller: Caller) -> None:
    made = caller.data("POST", f"/editor/template/{TEMPLATE}", {})["projectId"]
    body = json.loads((ROOT / "examples" / "v3-edit-project.json").read_text())
    assert caller.data("POST", f"/editor/project/{made}", {**body, "isExport": False}) == {"projectId": made}
    assert caller.progress(made)["state"] == "draft"
    caller.data("POST", f"/editor/project/{made}", {"updates": body["updates"]["value"]})
    assert caller.progress(made)["state"] == "exporting"
    seen = caller.data("GET", f"/editor/project/{made}")["project"]
    assert seen["scenes"][0]["scripts"][0]["org"] == "changed script"
    assert seen["scenes"][1]["clips"][1]["text"] == "change text"
    wrong = {"updates": {"value": [{"sceneIdx": 0, "type": "textImage", "values": {"opacity": 500}}]}}
    assert caller.call("POST", f"/editor/project/{made}", wrong).status_code == 400


def test_unknown_template_and_projects(caller: Caller) -> None:
    assert caller.call("POST", "/editor/template/none", {}).status_code == 404
    assert caller.call("POST", f"/editor/template/{'0' * 24}", {}).status_code == 200
    for method, path, body in [
        ("GET", "/editor/project/none", None),
        ("GET", "/editor/progress/none", None),
        ("POST", "/editor/project/none", {"updates": []}),
        ("POST", "/editor/project/export", {"projectId": "none"}),
    ]:
        assert caller.call(method, path, body).status_code == 404
    assert caller.call("GET", "/nowhere").status_code == 404
    assert caller.call("PUT", "/auth").status_code == 405


def test_list_and_delete(caller: Caller) -> None:
    first, second = caller.create(export=False, name="one"), caller.create(export=True, name="two")
    listed = caller.data("GET", "/editor/project")
    assert [(item["id"], item["state"], item["download_url"]) for item in listed] == [
        (second, "exporting", None),
        (first, "draft", None),
    ]
    caller.emulator.control("POST", "complete", {"id": second})
    assert caller.data("GET", "/editor/project")[0]["download_url"].endswith(f"{second}.mp4")
    assert caller.data("DELETE", "/editor/project", {"ids": [first, "unknown"]}) == {"deletedCount": 1}
    assert [item["id"] for item in caller.data("GET", "/editor/project")] == [second]
    assert caller.call("GET", f"/editor/project/{first}").status_code == 404


def test_accounts_are_apart(emulator: SandboxClient, caller: Caller) -> None:
    made, other = caller.create(export=True), Caller(emulator, "someone else")
    assert other.call("GET", f"/editor/progress/{made}").status_code == 404
    assert other.data("GET", "/editor/project") == []
    assert other.data("DELETE", "/editor/project", {"ids": [made]}) == {"deletedCount": 0}


@pytest.mark.contradiction(23)
def test_pick_lists(caller: Caller) -> None:
    model = caller.data("GET", "/model")["models"][0]
    assert {"ko", "en"} <= set(model["label"])
    assert {"ko", "en"} <= set(model["clothes"][0]["label"])
    assert set(caller.data("GET", "/dropdown/models")[0]) == {"id", "label", "avatarType"}
    assert set(caller.data("GET", "/dropdown/workspaces")[0]) == {"workspaceId", "workspaceName"}


def test_given_credentials_and_failures_as_200() -> None:
    with running("--app-id", "me", "--user-key", "right", "--v2-key", "v2", "--failures", "200") as emulator:

        def token(key: str) -> requests.Response:
            return emulator.call("POST", f"{V3}/auth/token", json={"appId": "me", "userKey": key})

        assert token("right").json()["success"] is True
        refused = token("wrong")
        assert (refused.status_code, refused.json()["success"]) == (200, False)
        assert emulator.call("GET", f"{V3}/auth").json()["success"] is False
        v2 = emulator.call("GET", "/api/odin/editor/progress/x", headers={"Authorization": "other"})
        assert (v2.status_code, v2.json()["success"]) == (200, False)


@pytest.mark.contradiction(30)
def test_limit_of_renders_and_exported_list() -> None:
    with running("--render-seconds", "600", "--max-concurrent", "1", "--samples", "off") as emulator:
        caller = Caller(emulator)
        made, waiting = caller.create(export=True), caller.create(export=False)
        refused = caller.call("POST", "/editor/project/export", {"projectId": waiting})
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert caller.call("POST", "/editor/project", project()).status_code == 429
        assert caller.data("GET", "/editor/project") == []
        emulator.control("POST", "complete", {"id": made})
        assert [item["id"] for item in caller.data("GET", "/editor/project")] == [made]
        caller.data("POST", "/editor/project/export", {"projectId": waiting})
        assert emulator.control("GET", "stats")["rendering_peak"] == 1
