"""The programs of `examples/hooks/` that verify deliveries, run on what is really sent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import HOOK_SECRET, ROOT
from harness.hook_endpoint import HookEndpoint
from renderline.hooks import Delivery, HttpHook
from renderline.tenants import Tenant, Tenants

FOLDER = ROOT / "examples" / "hooks"
OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0="
COMMANDS = {
    "verify.py": [sys.executable],
    "verify_library.py": [sys.executable],
    "verify.mjs": ["node"],
    "verify.go": ["go", "run"],
    "verify.php": ["php"],
}


@dataclass(frozen=True)
class Sent:
    """A delivery as it arrived, in files."""

    folder: Path
    headers: dict[str, str]
    body: bytes

    def run(
        self, name: str, secret: str = HOOK_SECRET, *, body: bytes | None = None, **changes: str
    ) -> tuple[int, str]:
        """Run a sample on the delivery, or on a changed one; return its exit code and output."""
        command = COMMANDS[name]
        if shutil.which(command[0]) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{command[0]} is not installed")
            pytest.skip(f"needs {command[0]}")
        headers, content = self.folder / "headers.json", self.folder / "body"
        headers.write_text(json.dumps({**self.headers, **changes}))
        content.write_bytes(self.body if body is None else body)
        program = [*command, str(FOLDER / name), secret, str(headers), str(content)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.strip()


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """A delivery that two secrets sign: the endpoint's is the older one."""
    tenant = Tenant(name="default", hook_secrets=(OTHER_SECRET, HOOK_SECRET))
    record = {"id": "r1", "name": "Grüße, 세계", "stored_url": None, "state": "completed"}
    with HookEndpoint() as endpoint:
        hook = HttpHook(Tenants(unlisted=tenant), allow_private=True)
        hook.deliver(
            {"type": "http", "url": endpoint.url}, Delivery("render.completed", "msg_r1_1_0", time.time(), record)
        )
        yield Sent(tmp_path_factory.mktemp("delivery"), *endpoint.take())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_sample_verifies_what_was_sent(sent: Sent, name: str) -> None:
    assert sent.run(name) == (0, "render.completed r1")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_sample_refuses_what_was_changed_or_is_old(sent: Sent, name: str) -> None:
    wrong = [
        sent.run(name, body=sent.body.replace(b"r1", b"r2")),
        sent.run(name, **{"webhook-timestamp": str(int(time.time()) - 600)}),
    ]
    assert [code != 0 and not output for code, output in wrong] == [True, True]


def test_the_page_shows_every_sample() -> None:
    page = (ROOT / "docs/hooks.md").read_text()
    for path in sorted(FOLDER.glob("verify*")):
        assert path.read_text().strip() in page, path.name
    assert {path.name for path in FOLDER.glob("verify*")} == set(COMMANDS)
