"""The README's snippets, the tutorial, sessions and the API's page, run as printed beside what `make up` starts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness import ROOT, Process, free_port, until
from harness.docs.snippets import Block, blocks
from harness.warm_command import WarmCommand
from renderline.kinds import KINDS

README = (ROOT / "README.md").read_text()
DOORS = README[README.index("## Enqueue a render") : README.index("## Processes and scaling")]
SNIPPETS = re.findall(r"^```(python|sh)\n(.*?)^```", DOORS, re.MULTILINE | re.DOTALL)
TUTORIAL = [block for block in blocks() if block.page == "docs/tutorial.md"]
RENDERLINE = f"{shlex.quote(sys.executable)} -P {shlex.quote(str(ROOT / 'renderline/command.py'))}"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`make up` in a directory of its own, in which it writes `env`, with all usual ports taken and one worker."""
    directory = tmp_path_factory.mktemp("up")
    command = [sys.executable, "-m", "workers.demo", "--keep", "--directory", str(directory)]
    command += ["--workers", "1", "--render-seconds", "1"]
    with contextlib.ExitStack() as taken:
        for port in (6379, 8900, 8000, 5555):
            # Somebody else may have it already.
            with contextlib.suppress(OSError):
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        process = Process(command, log=directory / "up.log")
        try:
            process.wait_until(lambda: "Up. Ctrl-C" in process.output(), what="make up")
            chosen = r"so others were chosen: \d+ for 6379, \d+ for 8900, \d+ for 8000, \d+ for 5555"
            assert re.search(chosen, process.output())
            yield directory
        finally:
            process.stop()


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmCommand]:
    """The command line. The steps to a first video (test_first_video.py) run it as it is installed."""
    with WarmCommand(tmp_path_factory.mktemp("command")) as warm:
        yield warm


@pytest.fixture(scope="module")
def up(directory: Path, command: WarmCommand) -> dict[str, str]:
    """What to replace in a snippet: folders, and tools."""
    return {
        "var/up/env": str(directory / "env"),
        "var/parrots": str(directory / "parrots"),
        "var/tutorial": str(directory / "tutorial"),
        ".venv/bin/python": shlex.quote(sys.executable),
        ".venv/bin/renderline": shlex.quote(str(command.path)),
    }


@pytest.fixture(scope="module")
def environ(directory: Path) -> dict[str, str]:
    """The environment of a shell that has sourced what `make up` wrote."""
    shown = subprocess.run(
        ["sh", "-c", f". {directory}/env; env -0"], env=plain(directory), capture_output=True, text=True, check=True
    )
    return dict(one.split("=", 1) for one in shown.stdout.split("\0") if one)


def plain(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "RENDERLINE_ENV_FILE": ""}


def replaced(text: str, here: dict[str, str]) -> str:
    for printed, instead in here.items():
        text = text.replace(printed, instead)
    return text


def run(command: list[str], environ: dict[str, str], *, cwd: Path = ROOT) -> str:
    """Return what the command writes; fails if it fails."""
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def shell(up: dict[str, str], text: str, directory: Path) -> str:
    return run(["sh", "-ec", replaced(text, up)], plain(directory))


def test_every_door_has_a_snippet() -> None:
    assert [language for language, _ in SNIPPETS] == ["sh", "sh", "python", "python", *["sh"] * 5]


@pytest.mark.parametrize("text", [text for language, text in SNIPPETS if language == "python"])
def test_python_snippets(up: dict[str, str], text: str, tmp_path: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(text)
    shown = shell(up, f". var/up/env\n.venv/bin/python {program}", tmp_path)
    assert re.match(r"^[0-9a-f]{32}\n$|^Outcome\(id='[0-9a-f]{32}', state='delivered'", shown)


(BULK,) = [text for _, text in SNIPPETS if "examples/bulk" in text]


@pytest.mark.parametrize("text", [text for language, text in SNIPPETS if language == "sh" and text != BULK])
def test_shell_snippets(up: dict[str, str], text: str, tmp_path: Path) -> None:
    shown = shell(up, text, tmp_path)
    assert "delivered" in shown or '"state"' in shown or "STATE" in shown


def test_an_editor_project_becomes_five_hundred_videos(up: dict[str, str], tmp_path: Path) -> None:
    shown = shell(up, BULK, tmp_path)
    assert "500 requests are right; nothing was sent" in shown
    assert "500 renders: 500 delivered" in shown


def test_the_documented_example_of_each_kind_becomes_a_video_over_http(
    up: dict[str, str], environ: dict[str, str], tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "requests.md").read_text()
    section = page[page.index("## An example of each kind") : page.index("### Speech")]
    upload, *_ = re.findall(r"^\$ renderline (upload .*)$", section, re.MULTILINE)
    shell(up, f". var/up/env\n.venv/bin/renderline {upload}", tmp_path)
    asked = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)]
    assert {request["kind"] for request in asked} == set(KINDS)
    url = environ["GATEWAY_URL"]
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


def test_the_gateway_shows_its_documentation(environ: dict[str, str]) -> None:
    answer = requests.get(f"{environ['GATEWAY_URL']}/docs", timeout=30)
    assert answer.ok
    assert "openapi" in answer.text.lower()


def test_the_tutorial_runs_from_its_first_line_to_its_last(
    directory: Path, up: dict[str, str], environ: dict[str, str]
) -> None:
    port, shown, started = free_port(), [], []
    here = {**up, "4242": str(port)}
    try:
        for block in TUTORIAL:
            text = replaced(block.text, here)
            if block.text.strip() == "make up":
                continue  # the fixture
            if "hooks listen" in text:
                # The receiver in the place of the shell, so that the signal which ends one ends the other.
                text = replaced(block.text, {**here, ".venv/bin/renderline": f"exec {RENDERLINE}"})
                started.append(listening(text, directory, port))
            elif block.language == "python":
                shown.append(run([sys.executable, "-c", text], {**environ, **plain(directory)}))
            else:
                shown.append(run(["sh", "-ec", text], plain(directory)))
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
    process = Process(["sh", "-c", text], log=directory / "receiver.log", environ=plain(directory))
    process.wait_until(lambda: str(port) in process.output(), what="the receiver")
    return process


SESSIONS = [
    block for block in blocks() if block.page == "docs/editor-projects.md" and block.first.startswith("$ renderline")
]


def commands(block: Block) -> list[str]:
    """Return the commands that a session shows after `$`."""
    return re.findall(r"^\$ (.+)$", block.text, re.MULTILINE)


def test_the_sessions_with_an_editor_project_run_as_shown(
    command: WarmCommand, directory: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    assert len(SESSIONS) == 3
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    path = f"{command.path.parent}:{os.environ['PATH']}"
    for block in SESSIONS:
        for one in commands(block):
            run(["sh", "-ec", one], {**environ, **plain(directory), "PATH": path}, cwd=tmp_path)


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
