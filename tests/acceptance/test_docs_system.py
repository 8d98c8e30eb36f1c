"""Pages beside a system that runs as `make up` starts it: the tutorial, sessions, the gateway's page of its API."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness import ROOT, Process, free_port, until
from harness.docs.snippets import Block, blocks

TUTORIAL = [block for block in blocks() if block.page == "docs/tutorial.md"]
RENDERLINE = f"{shlex.quote(sys.executable)} -P {shlex.quote(str(ROOT / 'renderline/command.py'))}"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`make up` in a directory of its own, in which it writes `env`."""
    directory = tmp_path_factory.mktemp("up")
    command = [sys.executable, "-m", "workers.demo", "--keep", "--directory", str(directory), "--render-seconds", "1"]
    process = Process(command, log=directory / "up.log")
    try:
        process.wait_until(lambda: "Up. Ctrl-C" in process.output(), what="make up")
        yield directory
    finally:
        process.stop()


@pytest.fixture(scope="module")
def environ(directory: Path) -> dict[str, str]:
    """The environment of a shell that has sourced what `make up` wrote."""
    shown = subprocess.run(
        ["sh", "-c", f". {directory}/env; env -0"], env=plain(directory), capture_output=True, text=True, check=True
    )
    return dict(one.split("=", 1) for one in shown.stdout.split("\0") if one)


def plain(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "RENDERLINE_ENV_FILE": ""}


def here(text: str, directory: Path, port: int) -> str:
    """Return the text with what is elsewhere in a test: folders, tools, a port that may be taken."""
    for printed, instead in {
        "var/up/env": str(directory / "env"),
        "var/tutorial": str(directory / "tutorial"),
        ".venv/bin/python": shlex.quote(sys.executable),
        ".venv/bin/renderline": RENDERLINE,
        "4242": str(port),
    }.items():
        text = text.replace(printed, instead)
    return text


def test_the_tutorial_runs_from_its_first_line_to_its_last(directory: Path, environ: dict[str, str]) -> None:
    port, shown, started = free_port(), [], []
    try:
        for block in TUTORIAL:
            text = here(block.text, directory, port)
            if block.text.strip() == "make up":
                continue  # the fixture
            if "hooks listen" in text:
                started.append(listening(text, directory, port))
            else:
                shown.append(run(block, text, directory, environ))
        (receiver,) = started
        until(lambda: "render.completed" in receiver.output(), what="the hook")
        assert "verified" in receiver.output()
    finally:
        for one in started:
            one.stop()
    first, twice, waited, hooked, failed, retried, tested = shown
    assert ".mp4" in first
    assert len(set(re.findall(r'"id": ?"([0-9a-f]{32})"', twice))) == 1
    assert "state='delivered'" in waited
    assert "delivered" in hooked
    assert "it failed, as it should" in failed
    assert "retry" in failed
    assert "delivered" in retried
    assert "1 passed" in tested


def listening(text: str, directory: Path, port: int) -> Process:
    """Start a receiver as in a terminal of its own."""
    # The receiver in the place of the shell, so that the signal which ends one ends the other.
    text = text.replace(RENDERLINE, f"exec {RENDERLINE}")
    process = Process(["sh", "-c", text], log=directory / "receiver.log", environ=plain(directory))
    process.wait_until(lambda: str(port) in process.output(), what="the receiver")
    return process


def run(block: Block, text: str, directory: Path, environ: dict[str, str]) -> str:
    python = block.language == "python"
    command = [sys.executable, "-c", text] if python else ["sh", "-ec", text]
    shell = {**environ, **plain(directory)} if python else plain(directory)
    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{block.line}: {text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


SESSIONS = [
    block for block in blocks() if block.page == "docs/editor-projects.md" and block.first.startswith("$ renderline")
]


def commands(block: Block) -> list[str]:
    """Return the commands that a session shows after `$`."""
    return re.findall(r"^\$ (.+)$", block.text, re.MULTILINE)


def test_the_sessions_with_an_editor_project_run_as_shown(
    directory: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    assert len(SESSIONS) == 3
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/renderline").write_text(f'#!/bin/sh\nexec {RENDERLINE} "$@"\n')
    (tmp_path / "bin/renderline").chmod(0o755)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shell = {**environ, **plain(directory), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    for block in SESSIONS:
        for command in commands(block):
            done = subprocess.run(
                ["sh", "-ec", command], cwd=tmp_path, env=shell, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, f"{block.line}: {command}\n{done.stdout}\n{done.stderr}"


DECK = (ROOT / "examples/files/deck.pdf").read_bytes()
# A render that is done, with every hook delivered, gives most of them nothing to do: they answer 404 or 409. One that
# is not done yet has no file to link to.
NEEDS_A_STATE = {"cancel", "retry", "hold", "release", "adopt", "resubmit", "fail", "replay", "discard", "links"}


def test_each_call_of_the_api_page_succeeds_as_its_form_is_filled(environ: dict[str, str]) -> None:
    url = environ["GATEWAY_URL"]
    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    calls = [
        (method.upper(), path, [*item.get("parameters", []), *operation.get("parameters", [])], operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and path != "/v1/events"  # which answers as long as somebody reads
    ]
    # To delete comes last: it takes what the others are about.
    for method, path, parameters, operation in sorted(calls, key=lambda call: call[0] == "DELETE"):
        filled = {one["name"]: str(one["example"]) for one in parameters if one["in"] == "path"}
        query = {one["name"]: one["example"] for one in parameters if one["in"] == "query" and "example" in one}
        headers = {one["name"]: one["example"] for one in parameters if one["in"] == "header" and "example" in one}
        content = operation.get("requestBody", {}).get("content", {})
        body = content.get("application/json", {})
        example = body.get("example", next(iter(body.get("examples", {}).values()), {}).get("value"))
        deck = DECK if "application/octet-stream" in content else None

        for _ in range(120):
            got = requests.request(
                method,
                url + path.format(**filled),
                params=query,
                headers=headers,
                json=example,
                data=deck,
                timeout=60,
            )
            if got.status_code != 503:
                break
            # Read by a worker first, as the description says.
            time.sleep(0.25)
        allowed = (404, 409) if path.rpartition("/")[2] in NEEDS_A_STATE else ()
        assert got.ok or got.status_code in allowed, f"{method} {path}: {got.status_code} {got.text[:500]}"
