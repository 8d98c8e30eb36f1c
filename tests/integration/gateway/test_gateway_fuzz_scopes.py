"""With a key of any scope or tenant, or none, every route answers as its description allows.

`make chaos` tries every key, with FUZZ_EXAMPLES=100 in the environment at length. That each route refuses callers
without a key as its description says is tests/unit/gateway/test_gateway_openapi.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from harness import a_request
from harness.pick_lists import fill
from renderline.gateway.api_keys import ApiKeys

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "1")
# What is accepted depends on the key, so the checks of accepted and rejected data do not apply.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
UNFINISHED = "/events$|/projects/"
"""Routes that answer without end, and 503 until a worker has read the project."""
KEYS = {
    "no key": None,
    "a wrong key": "rl_0123456789ab_" + "x" * 43,
    "submit": (["submit"], "default"),
    "read": (["read"], "default"),
    "admin": (["admin"], "default"),
    "operator": (["operator"], None),
    "another tenant": (["admin"], "acme"),
}


@pytest.fixture(scope="module")
def gateway_options():
    return {
        "RENDERLINE_API_KEYS_REQUIRED": "true",
        "RENDERLINE_SECRET_KEY": "signs the links of these tests, 32 and more",
    }


@pytest.mark.parametrize(
    "who", [pytest.param(who, marks=[] if who == "another tenant" else [pytest.mark.chaos]) for who in KEYS]
)
def test_every_route_answers_as_described(gateway, valkey, tmp_path, who):
    with Redis.from_url(valkey.url, decode_responses=True) as client:
        client.flushall()
        fill(client)
        keys = ApiKeys(client)
        owner = {"Authorization": f"Bearer {keys.create('owner', ['submit'])}"}
        assert gateway.ask("POST", "/v1/renders", a_request(), headers=owner).status_code == 202
        given = KEYS[who]
        text = keys.create(who, given[0], tenant=given[1]) if isinstance(given, tuple) else given
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{gateway.url}/openapi.json"]
    command += ["--phases", "examples,fuzzing", "--exclude-path-regex", UNFINISHED, "--checks", CHECKS]
    command += ["--seed", "20", "--max-examples", EXAMPLES, "--generation-database", "none", "--warnings", "off"]
    command += ["-H", f"Authorization: Bearer {text}"] if text else []
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
