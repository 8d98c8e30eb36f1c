"""Whatever is sent, the answer is one that the description allows: no 500, no traceback.

FUZZ_EXAMPLES=100 in the environment has schemathesis try that many bodies of each route, and the others more too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness import a_request
from harness.pick_lists import fill

JSON = {"Content-Type": "application/json"}
EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
DETERMINISTIC = settings(
    max_examples=500 if EXAMPLES else 40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# A request can be well-formed and still not acceptable (an account that is not configured, a scene that shows
# nothing), and a batch answers for each of its requests by itself: what is wrong with one does not refuse the call.
# The phase `coverage` of these two takes a minute for some ten thousand calls, each a variant of those of `fuzzing`.
CONFIG = """
[[operations]]
include-path = ["/v1/renders", "/v1/renders/batch"]
include-method = "POST"
checks.positive_data_acceptance.enabled = false
phases.coverage.enabled = false

# What a file must hold, its name says.
[[operations]]
include-path = "/v1/uploads"
checks.positive_data_acceptance.enabled = false

# An account must be one that is configured. Until a worker has read a project, its outline is a 503.
[[operations]]
include-path = ["/v1/models", "/v1/workspaces", "/v1/templates", "/v1/projects"]
checks.positive_data_acceptance.enabled = false

[[operations]]
include-path = ["/v1/projects/{project_id}", "/v1/projects/{project_id}/template"]
checks.positive_data_acceptance.enabled = false
checks.not_a_server_error.enabled = false

[[operations]]
include-path = "/v1/renders/batch"
checks.negative_data_rejection.enabled = false
"""


@pytest.fixture(scope="module")
def gateway_options():
    return {"RENDERLINE_SECRET_KEY": "signs the links of these tests, 32 and more"}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
fields = st.sampled_from(["kind", "name", "scenes", "account", "priority", "deadline", "metadata", "hooks", "payload"])
kinds = st.sampled_from(["project", "edit", "export", "template", "simple_video", "v2_project"])


def assert_sound(answer, *allowed):
    assert answer.status_code in allowed, answer.text
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@DETERMINISTIC
@given(raw=st.binary(max_size=200), content_type=st.sampled_from(["application/json", "text/plain", "a/b+json", ""]))
def test_bytes(gateway, raw, content_type):
    answer = gateway.ask("POST", "/v1/renders", data=raw, headers={"Content-Type": content_type})
    assert_sound(answer, 400, 415, 422)


@DETERMINISTIC
@given(changed=st.dictionaries(fields, anything, max_size=4), kind=kinds)
def test_requests_with_anything_in_them(gateway, changed, kind):
    body = json.dumps({**a_request(), "kind": kind, **changed})
    assert_sound(gateway.ask("POST", "/v1/renders", data=body, headers=JSON), 202, 400, 422)


@DETERMINISTIC
@given(items=st.lists(anything | st.fixed_dictionaries({"request": anything, "key": anything}), max_size=5))
def test_batches_with_anything_in_them(gateway, items):
    body = json.dumps({"requests": [{"request": a_request()}, *items]})
    assert_sound(gateway.ask("POST", "/v1/renders/batch", data=body, headers=JSON), 202, 400, 422)


@DETERMINISTIC
@given(name=st.text(max_size=20), value=st.text(max_size=40))
@example("cursor", "inf-" + "0" * 32)
@example("after", "9999-12-31T23:59:59.999999-23:59")
@example("metadata.\ud7ff", "\x00")
def test_queries(gateway, name, value):
    assert_sound(gateway.ask("GET", "/v1/renders", params={name: value, "limit": "1"}), 200, 422)


@DETERMINISTIC
@given(key=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30))
def test_keys(gateway, key):
    headers = {**JSON, "Idempotency-Key": key.strip().encode("latin-1")}
    answer = gateway.ask("POST", "/v1/renders", data=json.dumps(a_request()), headers=headers)
    assert_sound(answer, 202, 400)


def test_schemathesis_finds_nothing(gateway, redis, tmp_path):
    fill(redis)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    schemathesis = str(Path(sys.executable).with_name("schemathesis"))
    command = [schemathesis, "--config-file", str(config), "run", f"{gateway.url}/openapi.json"]
    # Streams end when a render does, and here none is rendered.
    command += ["--phases", "examples,coverage,fuzzing", "--exclude-path-regex", "/events$"]
    command += ["--seed", "20", "--max-examples", EXAMPLES or "4", "--generation-database", "none", "--warnings", "off"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
