"""What a sandbox shows by default, and the options that make it answer in other ways."""

import json
from typing import Any

import pytest
import requests
from sandbox_client import Caller, running

from harness import ROOT, until

NOW = ("--render-seconds", "0", "--samples", "off")
PARROTS = "5e0d1706a0b1c2d3e4f50001"


def finished(caller: Caller) -> str:
    made = caller.create(export=True)
    until(lambda: caller.emulator.control("GET", f"projects?id={made}")[0]["state"] == "exported")
    return made


def read(caller: Caller, project_id: str) -> dict[str, Any]:
    return dict(caller.data("GET", f"/editor/project/{project_id}")["project"])


def test_the_list_shows_exported_projects_only() -> None:
    with running(*NOW) as emulator:
        caller = Caller(emulator)
        caller.create(export=False)
        made = finished(caller)
        assert [(item["id"], item["state"]) for item in caller.data("GET", "/editor/project")] == [(made, "exported")]


def test_urls_only_in_get_project() -> None:
    with running(*NOW, "--urls", "project") as emulator:
        caller = Caller(emulator)
        made = finished(caller)
        assert caller.progress(made) == {"progress": 100.0, "state": "exported"}
        assert caller.data("GET", "/editor/project")[0]["download_url"] is None
        assert requests.get(read(caller, made)["download_url"], timeout=30).status_code == 200


def test_lists_below_a_name() -> None:
    with running(*NOW, "--lists", "named") as emulator:
        caller = Caller(emulator)
        made = finished(caller)
        assert [item["id"] for item in caller.data("GET", "/editor/project")["projects"]] == [made]
        for path, name in (("models", "models"), ("workspaces", "workspaces"), ("templates_business", "templates")):
            assert len(caller.data("GET", f"/dropdown/{path}")[name]) > 0
        wish = {"category": "social"}
        assert len(caller.data("POST", "/dropdown/templates_automation", wish)["templates"]) > 0


def test_complete_is_the_only_word() -> None:
    with running("--render-seconds", "600", "--samples", "off", "--words", "complete") as emulator:
        caller = Caller(emulator)
        made = caller.create(export=True)
        assert set(caller.progress(made)) == {"progress"}
        assert read(caller, made)["state"] is None
        emulator.control("POST", "complete", {"id": made})
        assert set(caller.progress(made)) == {"state", "downloadUrl"}
        assert caller.progress(made)["state"] == "Complete"
        assert read(caller, made)["state"] == "Complete"
        assert caller.data("GET", "/editor/project")[0]["state"] == "Complete"


def test_links_expire_and_each_answer_has_a_fresh_one() -> None:
    with running(*NOW, "--link-seconds", "0.5") as emulator:
        caller = Caller(emulator)
        made = finished(caller)
        url = caller.progress(made)["downloadUrl"]
        assert requests.get(url, timeout=30).status_code == 200
        for wrong in (url.partition("?")[0], f"{url}0", url.replace("Expires=", "Expires=9")):
            assert requests.get(wrong, timeout=30).status_code == 403
        until(lambda: requests.get(url, timeout=30).status_code == 403)
        fresh = {caller.progress(made)["downloadUrl"], read(caller, made)["download_url"]}
        fresh.add(caller.data("GET", "/editor/project")[0]["download_url"])
        assert url not in fresh
        assert {requests.get(each, timeout=30).status_code for each in fresh} == {200}


def test_edits_may_answer_with_a_new_id() -> None:
    with running(*NOW, "--edits", "new") as emulator:
        caller = Caller(emulator)
        made = caller.data("POST", "/editor/template/65fa6b07dca2e367461a2925", {"name": "Mine"})["projectId"]
        body = json.loads((ROOT / "examples" / "v3-edit-project.json").read_text())
        new = caller.data("POST", f"/editor/project/{made}", {"updates": body["updates"]})["projectId"]
        assert new != made
        assert read(caller, made)["scenes"][0]["scripts"][0]["org"] != "changed script"
        changed = read(caller, new)
        assert (changed["scenes"][0]["scripts"][0]["org"], changed["name"]) == ("changed script", "Mine")
        assert [shown["exports"] for shown in emulator.control("GET", "projects")] == [0, 1]


@pytest.fixture(scope="module")
def editor() -> Any:
    """A sandbox as it starts by itself, with what the editor made."""
    with running("--render-seconds", "0") as emulator:
        yield emulator


def test_each_account_has_its_copies_of_what_the_editor_made(editor: Any) -> None:
    mine, other = Caller(editor, "me"), Caller(editor, "other")
    listed = mine.data("GET", "/editor/project")
    assert {item["state"] for item in listed} == {"exported"}
    assert [item["id"] for item in listed] == [item["id"] for item in other.data("GET", "/editor/project")]
    assert requests.get(listed[0]["download_url"], timeout=30).status_code == 200
    assert editor.control("GET", "projects") == []
    assert mine.data("DELETE", "/editor/project", {"ids": [PARROTS]}) == {"deletedCount": 1}
    assert PARROTS not in [item["id"] for item in mine.data("GET", "/editor/project")]
    assert read(other, PARROTS)["name"] == "Parrots"
    (shown,) = editor.control("GET", "projects")
    assert (shown["id"], shown["account"], shown["deleted"]) == (PARROTS, "me", True)


def test_what_the_editor_made_can_be_changed_and_made_anew(editor: Any) -> None:
    """The vendor's tutorial: a dialogue of two avatars, an image and a text found by their tags."""
    caller = Caller(editor, "tutorial")
    project = read(caller, PARROTS)
    first, second = project["scenes"]
    tags = {clip.get("tag"): clip for clip in first["clips"]}
    tags["parrot-image"]["source_url"] = "https://example.com/other.png"
    tags["parrot-text"]["text"] = "Something else"
    first["scripts"][0]["org"] = "New words."
    assert len(second["scripts"]) > len([clip for clip in second["clips"] if clip["type"] == "aiModel"]) == 2
    second["scripts"][1]["org"] = "Other words."
    body = {name: project[name] for name in ("name", "orientation", "scenes")}
    made = caller.data("POST", "/editor/project", body)["projectId"]
    assert made != PARROTS
    until(lambda: caller.progress(made).get("downloadUrl"))
    assert read(caller, made)["scenes"] == project["scenes"]
    caller.data("POST", "/editor/project/export", {"projectId": PARROTS})
    exports = {shown["id"]: shown["exports"] for shown in editor.control("GET", "projects?name=Parrots")}
    assert exports == {made: 1, PARROTS: 1}
    assert editor.control("GET", "charges?account=tutorial")["started"]["export"] == 2


def test_what_the_editor_made_lags_and_resets_as_other_projects(editor: Any) -> None:
    caller = Caller(editor, "lag")
    editor.control("POST", "faults", {"fault": "stale-reads", "seconds": 1})
    assert len(caller.data("GET", "/editor/project")) >= 3
    assert read(caller, PARROTS)["name"] == "Parrots"
    editor.control("POST", "reset")
    assert len(caller.data("GET", "/editor/project")) == 3
