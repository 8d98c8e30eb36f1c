"""From the editor to videos: the vendor's tutorial on existing projects, with real workers, checked at the vendor.

Its project has two scenes with tagged clips, and a dialogue of two avatars. It is found, read, changed, created anew,
exported, polled and downloaded; the project itself stays as it is.
"""

from __future__ import annotations

import copy
import csv
import signal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from harness import USER_KEY, until
from harness.editor_project import editor_project
from harness.fixed_token import FixedToken
from renderline.studio import StudioV3, TokenEndpoint
from tests.acceptance.command_line import CommandLine, CommandLineHere, reach
from tests.acceptance.conftest import System

IMAGE = "https://cdn.example.com/cockatoo.png"
TUTORIAL = [
    {"tag": "parrot-image", "image": IMAGE, "set": {"left": 15, "width": 15, "scaleX": 1.5}},
    {"tag": "parrot-text", "text": "A cockatoo", "set": {"fontSize": 7.5}},
    {"scene": 0, "script": "This is a cockatoo."},
    {"scene": 1, "script_index": 1, "script": "Mostly fruit."},
]


class Editor:
    """Acts on the vendor as somebody with its editor, and reads what it has."""

    def __init__(self, system: System) -> None:
        credentials = TokenEndpoint(system.sandbox.url, app_id="studioV3.tests", user_key=USER_KEY)
        self.studio = StudioV3(system.sandbox.url, tokens=FixedToken(credentials.issue()))
        credentials.close()

    def made(self, **fields: Any) -> str:
        """Make the tutorial's project, rendered once so that it is listed; return its id."""
        project = self.studio.create_project(editor_project(**fields), export=True)
        until(lambda: self.studio.progress(project).done)
        return project


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "0.5", "--list", "exported", workers=1)


@pytest.fixture(scope="module")
def editor(system: System) -> Editor:
    return Editor(system)


@pytest.fixture
def renderline(system: System, tmp_path: Path) -> CommandLine:
    return CommandLineHere(system.environ, tmp_path)


def request(project: str, replace: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {"kind": "from_project", "project_id": project, "replace": replace, **fields}


def changed() -> list[dict[str, Any]]:
    """Return the scenes that the tutorial's changes make."""
    scenes: list[dict[str, Any]] = editor_project()["scenes"]
    scenes[0]["clips"][1].update(source_url=IMAGE, left=15, width=15, scaleX=1.5)
    scenes[0]["clips"][2].update(text="A cockatoo", fontSize=7.5)
    scenes[0]["scripts"][0]["org"] = "This is a cockatoo."
    scenes[1]["scripts"][1]["org"] = "Mostly fruit."
    return scenes


def test_the_tutorial(system: System, editor: Editor, renderline: CommandLine) -> None:
    editor.made(name="Parrots of the tutorial")
    (found,) = renderline.json("projects", "--search", "Parrots of the tutorial")
    outlined = renderline.json("projects", "show", found["id"])
    tags = {clip["tag"] for scene in outlined["scenes"] for clip in scene["clips"]}
    assert {"parrot-image", "parrot-text"} <= tags
    before = editor.studio.read_project(found["id"])

    render_id = system.enqueue(request(found["id"], TUTORIAL, hooks=[{"type": "download"}], resolution="720"))
    record = reach(system, render_id, "delivered")

    made = editor.studio.read_project(record["project_id"])
    assert made["scenes"] == changed()
    assert made["name"] == f"Parrots of the tutorial [{render_id}]"
    assert (made["orientation"], made["dictionary"]) == (before["orientation"], before["dictionary"])
    assert made["_id"] != found["id"]
    assert editor.studio.read_project(found["id"]) == before
    (project,) = system.projects_of(render_id)
    assert (project["exports"], project["state"]) == (1, "exported")
    assert Path(unquote(urlsplit(record["stored_url"]).path)).read_bytes()[4:8] == b"ftyp"


def test_a_template_filled_from_its_rows_renders(
    system: System, editor: Editor, renderline: CommandLine, tmp_path: Path
) -> None:
    project = editor.made()
    written = renderline("template-of", project, "-o", "parrots.json")
    assert written.code == 0, written
    rows = tmp_path / "parrots.csv"
    (row,) = csv.DictReader(rows.read_text(encoding="utf-8").splitlines())
    assert (row["parrot_text"], row["scene1_script1"]) == ("A parrot", "Mostly seeds.")
    row |= {"parrot_text": "Ann's parrot", "scene1_script1": "Anything.", "guest_clothes": "BG00006161"}
    with rows.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([row.keys(), row.values()])

    (record,) = renderline.json(
        "submit", "--template", "parrots.json", "--rows", "parrots.csv", "--wait", "--timeout", "60"
    )

    scenes = editor.studio.read_project(record["project_id"])["scenes"]
    assert scenes[0]["clips"][2]["text"] == "Ann's parrot"
    assert scenes[1]["scripts"][1]["org"] == "Anything."
    # Another avatar speaks its lines.
    assert scenes[1]["clips"][1]["model"]["emotion"] == scenes[1]["scripts"][1]["clothId"] == "BG00006161"
    assert "deployImage" not in scenes[1]["clips"][1]["model"]
    # A row that does not fit the project is named before any is sent.
    (tmp_path / "wrong.json").write_text((tmp_path / "parrots.json").read_text().replace("parrot-text", "parot-text"))
    wrong = renderline("submit", "--template", "wrong.json", "--rows", "parrots.csv")
    assert (wrong.code, "parrots.csv row 2" in wrong.err, "parrot-text" in wrong.err) == (2, True, True), wrong
    # No file that somebody has changed is overwritten.
    again = renderline("template-of", project, "-o", "parrots.json")
    assert (again.code, len(again.err.splitlines())) == (2, 2)
    assert renderline("template-of", "65fa6b07dca2e367461affff").code == 5


def test_a_draft_alone_is_not_exported(system: System, editor: Editor) -> None:
    render_id = system.enqueue(request(editor.made(), TUTORIAL, export=False, name="Draft"))
    record = reach(system, render_id, "delivered")
    (project,) = system.projects_of(render_id)
    assert (project["exports"], project["id"], record["download_url"]) == (0, record["project_id"], None)
    assert editor.studio.read_project(project["id"])["scenes"] == changed()


@pytest.mark.parametrize(
    ("replace", "path", "why"),
    [
        ([{"tag": "parot", "text": "x"}], "replace.0.tag", "'parrot-text' (scene 0 clip 2, textImage)"),
        ([TUTORIAL[1], {"scene": 5, "script": "x"}], "replace.1.scene", "it has the scenes 0, 1"),
    ],
)
def test_what_does_not_fit_fails_before_anything_is_made(
    system: System, editor: Editor, replace: list[dict[str, Any]], path: str, why: str
) -> None:
    render_id = system.enqueue(request(editor.made(), replace))
    error = reach(system, render_id, "failed")["error"]
    assert error["origin"] == "caller"
    assert path in error["message"]
    assert why in error["message"]
    assert system.projects_of(render_id) == []


def test_a_project_that_is_gone_fails_with_its_id(system: System, editor: Editor) -> None:
    project = editor.made()
    editor.studio.delete_projects([project])
    error = reach(system, system.enqueue(request(project, [])), "failed")["error"]
    assert (error["origin"], project in error["message"]) == ("caller", True)


def hold(system: System, call: str, fault: str) -> None:
    system.sandbox.control("POST", "faults", call=call, fault=fault, times=1)


def killed(system: System, held: dict[str, tuple[str, str]], project: str) -> dict[str, str]:
    """Start one render for each call of `held`, kill all workers while these are under way; return the render ids.

    What was not processed yet never is; the answers of the others are lost. Then another worker starts.
    """
    ids = {}
    for name, (call, fault) in held.items():
        hold(system, call, fault)
        under_way = len(ids) + 1
        ids[name] = system.enqueue(request(project, TUTORIAL, name=f"Killed in {name}"))
        until(lambda wanted=under_way: len(system.sandbox.control("GET", "held")) == wanted, what=name)
    for worker in system.workers:
        worker.signal(signal.SIGKILL)
        worker.kill()
    system.sandbox.control("POST", "release", forget=True)
    system.start_worker()
    return ids


V3 = "/api/odin/v3/editor/project"
READ, CREATE, EXPORT = f"GET {V3}/{{key}}", f"POST {V3}", f"POST {V3}/export"


@pytest.mark.parametrize(
    ("mode", "held"),
    [
        (
            "two_phase",
            {"read": (READ, "hold-before"), "draft": (CREATE, "hold"), "export": (EXPORT, "hold")},
        ),
        ("direct", {"read": (READ, "hold-before"), "create": (CREATE, "hold")}),
    ],
)
def test_a_worker_killed_in_any_stage_costs_only_time(start_system: Any, mode: str, held: Any) -> None:
    # Where the list hides drafts, a lost one stays as an orphan, which costs nothing.
    options = ("--render-seconds", "0.5", "--list", "all")
    system = start_system(*options, workers=1, RENDERLINE_SUBMIT=mode, RENDERLINE_LEASE="3")
    editor = Editor(system)
    ids = killed(system, copy.deepcopy(held), editor.made())
    for name, render_id in ids.items():
        record = reach(system, render_id, "delivered")
        projects = system.projects_of(render_id)
        assert [one["exports"] for one in projects if not one["deleted"]] == [1], (name, projects)
        assert sum(one["exports"] for one in projects) == 1, name
        assert editor.studio.read_project(record["project_id"])["scenes"] == changed()
