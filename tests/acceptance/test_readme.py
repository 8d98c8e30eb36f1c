"""The snippets of the README, run as printed against a system that runs as `make up` starts it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness import ROOT, Process, until
from renderline.kinds import KINDS

README = (ROOT / "README.md").read_text()
DOORS = README[README.index("## Enqueue a render") : README.index("## Processes and scaling")]
SNIPPETS = re.findall(r"^```(python|sh)\n(.*?)^```", DOORS, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`make up` in a directory of its own, with all usual ports taken; yields what to replace in a snippet."""
    with contextlib.ExitStack() as taken:
        for port in (6379, 8900, 8000, 5555):
            # Somebody else may have it already.
            with contextlib.suppress(OSError):
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        yield from _up(tmp_path_factory)


def _up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    directory = tmp_path_factory.mktemp("up")
    command = [sys.executable, "-m", "workers.demo", "--keep", "--directory", str(directory), "--render-seconds", "2"]
    process = Process(command, log=directory / "up.log")
    until(lambda: "Up. Ctrl-C" in process.output() or process.popen.poll() is not None, what="make up")
    assert process.popen.poll() is None, process.output()
    assert re.search(r"so others were chosen: \d+ for 6379, \d+ for 8900, \d+ for 8000, \d+ for 5555", process.output())
    yield {
        "var/up/env": str(directory / "env"),
        "var/parrots": str(directory / "parrots"),
        ".venv/bin/renderline": f"{sys.executable} -P {ROOT}/renderline/command.py",
    }
    process.stop()


def gateway_url(up: dict[str, str]) -> str:
    (url,) = re.findall(r"^export GATEWAY_URL=(\S+)$", Path(up["var/up/env"]).read_text(), re.MULTILINE)
    return str(url)


def run(up: dict[str, str], command: list[str], text: str, directory: Path) -> str:
    for printed, here in up.items():
        text = text.replace(printed, here)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(directory)}
    done = subprocess.run(
        [*command, text], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_door_has_a_snippet() -> None:
    assert [language for language, _ in SNIPPETS] == ["sh", "sh", "python", "python", *["sh"] * 5]


@pytest.mark.parametrize("text", [text for language, text in SNIPPETS if language == "python"])
def test_python_snippets(up: dict[str, str], text: str, tmp_path: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(text)
    shown = run(up, ["sh", "-ec"], f". var/up/env\n{sys.executable} {program}", tmp_path)
    assert re.match(r"^[0-9a-f]{32}\n$|^Outcome\(id='[0-9a-f]{32}', state='delivered'", shown)


(BULK,) = [text for _, text in SNIPPETS if "examples/bulk" in text]


@pytest.mark.parametrize("text", [text for language, text in SNIPPETS if language == "sh" and text != BULK])
def test_shell_snippets(up: dict[str, str], text: str, tmp_path: Path) -> None:
    shown = run(up, ["sh", "-ec"], text, tmp_path)
    assert "delivered" in shown or '"state"' in shown or "STATE" in shown


def test_an_editor_project_becomes_five_hundred_videos(up: dict[str, str], tmp_path: Path) -> None:
    shown = run(up, ["sh", "-ec"], BULK, tmp_path)
    assert "500 requests are right; nothing was sent" in shown
    assert "500 renders: 500 delivered" in shown


def test_the_documented_example_of_each_kind_becomes_a_video_over_http(up: dict[str, str], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "requests.md").read_text()
    section = page[page.index("## An example of each kind") : page.index("### Speech")]
    upload, *_ = re.findall(r"^\$ renderline (upload .*)$", section, re.MULTILINE)
    run(up, ["sh", "-ec"], f". var/up/env\n.venv/bin/renderline {upload}", tmp_path)
    asked = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)]
    assert {request["kind"] for request in asked} == set(KINDS)
    url = gateway_url(up)
    batch = {"requests": [{"request": request} for request in asked], "all_or_nothing": True}
    answer = requests.post(f"{url}/v1/renders/batch", json=batch, timeout=30).json()
    ids = {result["id"] for result in answer["results"]}

    def delivered() -> bool:
        records = requests.get(f"{url}/v1/renders?limit=500", timeout=30).json()["renders"]
        assert [one["error"] for one in records if one["id"] in ids and one["error"]] == []
        return ids <= {one["id"] for one in records if one["state"] == "delivered"}

    until(delivered, what="the examples of all kinds")
    records = requests.get(f"{url}/v1/renders?limit=500", timeout=30).json()["renders"]
    files = {one["download_url"] for one in records if one["id"] in ids} - {None}  # a draft has none
    assert {requests.head(file, timeout=30).status_code for file in files} == {200}


def test_the_gateway_shows_its_documentation(up: dict[str, str]) -> None:
    answer = requests.get(f"{gateway_url(up)}/docs", timeout=30)
    assert answer.ok
    assert "openapi" in answer.text.lower()
