"""A new kind is one new module: put into the package, it is found, checked, built and run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import renderline.kinds
from harness import ROOT
from renderline.kinds import KINDS

MODULE = '''
"""Kind `haiku`: three lines, read aloud."""

from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallResult, Stage
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, WORKSPACE
from renderline.validation.fields import Text
from renderline.validation.schemas import VendorSchema


def _draft(clients, context):
    return CallResult(clients.draft_haiku(context.vendor_body()))


KIND = Kind(
    name="haiku",
    matches=lambda body: "haiku" in body,
    schema=VendorSchema.from_dict({"haiku": Text(required=True), **RENDER_OPTIONS}, name="Haiku")(),
    fields={"haiku": "haiku", "resolution": "resolution", **WORKSPACE},
    two_phase=(Stage("draft", _draft), EXPORT),
    direct=(Stage("draft", _draft), EXPORT),
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
'''

PROGRAM = """
import json
from renderline.kinds import APIS, KINDS, PAID_STAGES
from renderline.requests import RequestRefused, as_request, load_request

def load(data):
    return load_request(data, accounts=["default"], hook_kinds={}, max_bytes=9999)

class Clients:
    def draft_haiku(self, body):
        return f"project of {sorted(body)}"

request = load(as_request({"haiku": "An old silent pond"}))
same = load({"kind": "haiku", "haiku": "An old silent pond", "resolution": 1080})
try:
    errors = load({"kind": "haiku", "haiku": " ", "text": "x"})
except RequestRefused as refused:
    errors = refused.errors
kind = KINDS[request.kind]
context = kind.context(request.body, name="Pond", webhook_url="https://gw.test/w", project_id=None)
plan = kind.plan("two_phase", at="")
print(json.dumps({
    "name": request.name,
    "same": {**vars(request), "body": 0} == {**vars(same), "body": 0} and request.fingerprint() == same.fingerprint(),
    "errors": errors,
    "body": kind.build(request.body, name="Pond", webhook_url="https://gw.test/w"),
    "plan": [[stage.name, stage.paid] for stage in plan],
    "draft": plan[0].call(Clients(), context).project_id,
    "api": APIS["haiku"],
    "paid": PAID_STAGES,
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Run the program against a copy of the product with one more module."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "renderline", copy / "renderline", ignore=shutil.ignore_patterns("__pycache__", "*.mp4"))
    (copy / "renderline/kinds/haiku.py").write_text(MODULE)
    ran = subprocess.run([sys.executable, "-c", PROGRAM], cwd=copy, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_it_is_detected_loaded_and_named(found):
    assert found["name"] == "Untitled"
    assert found["errors"] == {"haiku": ["may not be empty"], "text": ["unknown field"]}


def test_its_fingerprint_knows_the_defaults(found):
    assert found["same"]


def test_its_vendor_body_is_built(found):
    assert found["body"] == {"haiku": "An old silent pond", "webhookUrl": "https://gw.test/w"}


def test_its_plan_runs(found):
    assert found["plan"] == [["draft", False], ["export", True]]
    assert found["draft"] == "project of ['haiku', 'webhookUrl']"
    assert (found["api"], "export" in found["paid"]) == ("v3", True)


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_the_module_of_its_name(name):
    module = Path(renderline.kinds.__file__).with_name(f"{name}.py")
    assert f'name="{name}"' in module.read_text()
