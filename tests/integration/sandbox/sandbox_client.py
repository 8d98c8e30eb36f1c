"""A sandbox process and small callers for its API, without any client of ours."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from harness import ROOT

V3 = "/api/odin/v3"
DEADLINE = 60.0

PLAIN = ("--list", "all", "--samples", "off")
"""Options with which the project list shows what a test has made, and nothing else."""


class SandboxClient:
    """One running sandbox and a kept-alive session to it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        """One request, with a time limit."""
        return self.session.request(method, self.url + path, **{"timeout": DEADLINE, **how})

    def token(self, app_id: str = "app") -> str:
        """A fresh token."""
        answer = self.call("POST", f"{V3}/auth/token", json={"appId": app_id, "userKey": "key"})
        return str(answer.json()["data"]["token"])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API."""
        answer = self.call(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


class Caller:
    """An account of the v3 API."""

    def __init__(self, emulator: SandboxClient, app_id: str = "app") -> None:
        self.emulator = emulator
        self.app_id = app_id
        self.token = emulator.token(app_id)

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> requests.Response:
        """One request with the raw token."""
        headers = {"Authorization": self.token}
        return self.emulator.call(method, V3 + path, json=body, headers=headers, **how)

    def data(self, method: str, path: str, body: Any = None) -> Any:
        """The `data` of a call that succeeds."""
        answer = self.call(method, path, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        return answer.json()["data"]

    def create(self, script: str = "Hello.", *, export: bool, **fields: Any) -> str:
        """The id of a new project."""
        return str(self.data("POST", "/editor/project", project(script, isExport=export, **fields))["projectId"])

    def progress(self, project_id: str) -> dict[str, Any]:
        """What the progress call says."""
        return dict(self.data("GET", f"/editor/progress/{project_id}"))


def project(script: str = "Hello.", **fields: Any) -> dict[str, Any]:
    """The vendor's one-scene body with another script."""
    body = json.loads((ROOT / "examples" / "v3-create-project-1.6.json").read_text())
    del body["webhookUrl"]
    body["scenes"][0]["scripts"][0]["org"] = script
    return {**body, **fields}


@contextmanager
def running(*options: str) -> Iterator[SandboxClient]:
    """A sandbox process with these options, stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "renderline.sandbox", *options], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        emulator = SandboxClient(process, process.stdout.readline().split()[-1])
        with emulator.session:
            yield emulator
    finally:
        process.terminate()
        process.wait(DEADLINE)
        process.stdout.close()
