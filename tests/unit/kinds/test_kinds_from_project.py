"""Kind `from_project`: what its calls send, and when it reads the named project."""

from __future__ import annotations

import copy
import json

import pytest

from harness.editor_project import editor_project, read_back
from harness.requests import load
from renderline.drafts import project_name
from renderline.kinds import KINDS, RequestUnfit
from renderline.kinds.editor.carried import LEFT_OUT
from renderline.requests import as_request
from renderline.studio import ProjectMissing

KIND = KINDS["from_project"]
ID = "65fa6b07dca2e367461a2925"
RENDER = "0" * 32
TEXT = {"tag": "parrot-text", "text": "A cockatoo"}


class Studio:
    """Answers the two calls, and keeps what it was sent."""

    def __init__(self, project):
        self.project, self.reads, self.sent = project, 0, []

    def use_v3(self):
        return self

    def read_project(self, project_id):
        self.reads += 1
        if project_id != self.project.get("_id"):
            raise ProjectMissing("there is no such project", endpoint="GET", status=404)
        return copy.deepcopy(self.project)

    def create_project(self, body, *, export):
        self.sent.append((json.loads(json.dumps(body)), export))
        return "made"


def run(studio, request, mode="two_phase", *, webhook_url=None):
    """Run the stages up to the one that makes the project, and return the body that was sent."""
    loaded = load({"kind": "from_project", "project_id": ID, **request})
    name = project_name(loaded.name, RENDER)
    context = KIND.context(loaded.body, name=name, webhook_url=webhook_url, project_id=None)
    for stage in KIND.plan(mode, at=""):
        if stage.name != "export":
            context.project_id = stage.call(studio, context).project_id
    assert context.project_id == "made"
    return studio.sent[-1][0]


@pytest.mark.parametrize("mode", ["two_phase", "direct"])
def test_it_sends_the_project_as_it_was_read_with_what_was_replaced(mode):
    studio = Studio(read_back(odd=[1]))
    wanted = editor_project(name=f"Parrots [{RENDER}]", odd=[1])
    wanted["scenes"][0]["clips"][2]["text"] = "A cockatoo"
    assert run(studio, {"replace": [TEXT]}, mode) == wanted
    assert (studio.reads, [export for _, export in studio.sent]) == (1, [mode == "direct"])


def test_nothing_to_replace_is_a_copy():
    assert run(Studio(read_back()), {}) == editor_project(name=f"Parrots [{RENDER}]")


def test_options_of_the_call_are_those_of_the_request():
    studio = Studio(read_back(webhookUrl="https://theirs.example.com", resolution="480", workspaceId="w0"))
    body = run(studio, {"resolution": 720, "workspace_id": "w1"}, webhook_url="https://gw/hook")
    assert (body["resolution"], body["workspaceId"], body["webhookUrl"]) == ("720", "w1", "https://gw/hook")
    assert set(run(studio, {})) == {"name", "orientation", "scenes", "dictionary"}


def test_nothing_that_the_vendor_keeps_about_the_old_project_is_sent():
    assert not set(LEFT_OUT) & set(run(Studio(read_back(**dict.fromkeys([*LEFT_OUT, "_id"], ID))), {}))


def test_the_name_is_the_requests_else_the_projects():
    assert run(Studio(read_back()), {"name": "Mine"})["name"] == f"Mine [{RENDER}]"
    assert run(Studio(read_back(name=None)), {})["name"] == f"From project {ID} [{RENDER}]"
    # A project that a render made, taken again: one tag.
    assert run(Studio(read_back(name=f"Parrots [{'a' * 32}]")), {})["name"] == f"Parrots [{RENDER}]"


@pytest.mark.parametrize("mode", ["two_phase", "direct"])
def test_what_does_not_fit_is_named_before_anything_is_made(mode):
    studio = Studio(read_back())
    with pytest.raises(RequestUnfit) as refused:
        run(studio, {"replace": [TEXT, {"tag": "parot", "text": "x"}, {"scene": 7, "text": "x"}]}, mode)
    assert refused.value.path == "replace.1.tag"
    assert refused.value.message.startswith("no clip of the project has the tag 'parot'; the tags are: ")
    assert refused.value.message.endswith("; replace.2.scene: the project has no scene 7; it has the scenes 0, 1")
    assert studio.sent == []


def test_a_project_that_is_gone_is_the_requests_fault():
    with pytest.raises(RequestUnfit, match=f"no project '{ID}'") as refused:
        run(Studio({}), {})
    assert refused.value.path == "project_id"


def test_a_paid_call_that_is_made_by_another_run_reads_the_project_itself():
    studio = Studio(read_back())
    loaded = load({"kind": "from_project", "project_id": ID})
    context = KIND.context(loaded.body, name="n", webhook_url=None, project_id=None)
    (create,) = KIND.plan("direct", at="create")
    assert create.call(studio, context).project_id == "made"
    assert studio.reads == 1


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"replace": {}}, "replace"),
        ({"replace": [{"tag": "a"}]}, "replace.0"),
        ({"replace": [{"tag": "a", "text": 5}]}, "replace.0.text"),
        ({"payload": {"replace": [{"tag": "a"}]}}, "payload.replace.0"),
        ({"payload": {"scenes": []}}, "payload.scenes"),
        ({"resolution": "8k"}, "resolution"),
        ({"replacement": []}, "replacement"),
    ],
)
def test_wrong_fields_are_named_also_where_the_caller_wants_warnings(errors, wrong, path):
    request = {"kind": "from_project", "project_id": ID, **wrong}
    assert path in errors(request)
    if "replace" in path and path != "replacement":
        assert path in errors({**request, "validation": "warn"})


def test_a_project_is_required(errors):
    assert errors({"kind": "from_project", "replace": []}) == {"project_id": ["is required"]}


def test_a_bare_body_is_detected():
    bare = {"projectId": ID, "replace": [TEXT]}
    assert as_request(bare) == {"kind": "from_project", "payload": bare}
    assert load(as_request(bare)).body == load({"kind": "from_project", "project_id": ID, "replace": [TEXT]}).body


def test_its_plans():
    assert [stage.name for stage in KIND.two_phase] == ["draft", "export"]
    assert [stage.name for stage in KIND.direct] == ["read", "create"]
    assert KIND.owns_project
    assert KIND.leaves_draft
