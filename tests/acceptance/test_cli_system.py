"""The command line on a running system: submitting and waiting, watching, the vendor's lists, the doctor."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness import ROOT, until
from harness.terminal import Terminal
from tests.acceptance.command_line import COMMAND, CommandLine, CommandLineHere
from tests.acceptance.conftest import System


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "2", workers=1)


@pytest.fixture
def renderline(system: System, tmp_path: Path) -> CommandLine:
    return CommandLine(system.environ, tmp_path)


@pytest.fixture
def here(system: System, tmp_path: Path) -> CommandLine:
    """The command line in this process: what only reads needs none of its own."""
    return CommandLineHere(system.environ, tmp_path)


@pytest.fixture
def terminal(renderline: CommandLine) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        started.append(Terminal([*COMMAND, *arguments], environ=renderline.whole, folder=renderline.folder))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_examples_of_every_form_are_submitted_and_delivered(here: CommandLine) -> None:
    # As a shell expands examples/*.json: an edit names a project that each account of the sandbox has.
    every = [str(path) for path in sorted((ROOT / "examples").glob("*.json"))]
    checked = here("submit", *every, "--dry-run", "--json")
    assert (checked.code, checked.err, len(checked.value)) == (0, "", len(every))
    names = ("compact-landscape", "v3-two-scenes", "v3-simple-video", "v2-seed-minimal", "v3-edit-project")
    files = [str(ROOT / f"examples/{name}.json") for name in names]
    ended = here("submit", *files, "--download", "--wait", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert [one["state"] for one in ended.value] == ["delivered"] * len(names)
    assert all(one["stored_url"] for one in ended.value)


def test_the_exit_code_tells_the_outcome(system: System, renderline: CommandLine, here: CommandLine) -> None:
    good, bad = system.request("Good.", hooks=[]), system.request("[sandbox:fail]", hooks=[])
    ended = renderline("submit", "-", "--wait", "--json", given=json.dumps([good, bad]))
    assert ended.code == 1
    assert [one["state"] for one in ended.value] == ["delivered", "failed"]
    slow = system.request("[sandbox:slow=60]", hooks=[])
    ended = here("submit", "-", "--wait", "--timeout", "1", "--json", given=json.dumps(slow))
    assert ended.code == 4
    (record,) = ended.value
    assert here("cancel", record["id"]).code == 0
    assert here("status", record["id"], "--wait").code == 1


def test_a_terminal_shows_one_bar_for_each_render(
    system: System, tmp_path: Path, terminal: Callable[..., Terminal]
) -> None:
    requests = [system.request(f"Take {take}.", name=f"Take {take}", hooks=[]) for take in range(3)]
    path = tmp_path / "takes.json"
    path.write_text(json.dumps(requests))
    shown = terminal("submit", str(path), "--wait")
    assert shown.end() == 0
    for take in range(3):
        bars = re.findall(rf"Take {take} [\u2501\u2578\u257a ]+ (\d+) %\s+(\w+)", shown.text)
        assert bars[-1] == ("100", "delivered"), shown.text
        # It moved.
        assert len({percent for percent, _ in bars}) > 2
    assert "ID" in shown.text


def test_watch_shows_what_is_going_on_until_interrupted(
    system: System, here: CommandLine, terminal: Callable[..., Terminal]
) -> None:
    shown = terminal("watch")
    until(lambda: "STATE" in shown.text or "no renders" in shown.text, what="the table")
    (record,) = here.json("submit", "-", given=json.dumps(system.request(name="Watched", hooks=[])))
    until(lambda: re.search(rf"{record['id']}\s+delivered", shown.text), what=shown.text)
    shown.popen.send_signal(signal.SIGINT)
    assert shown.end() == 0
    assert "Traceback" not in shown.text


def readers(client: Redis) -> set[str]:
    """Return the ids of the connections that read the stream of events."""
    return {one["id"] for one in client.client_list() if one["cmd"] == "xread"}


def test_watch_in_a_pipe_gives_every_event(system: System, renderline: CommandLine, here: CommandLine) -> None:
    with Redis.from_url(system.valkey.url, decode_responses=True) as client:
        # A command that has just ended may still have its connection.
        before = readers(client)
        with subprocess.Popen(
            [*COMMAND, "watch", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=renderline.whole,
            cwd=renderline.folder,
        ) as watching:
            until(lambda: readers(client) - before, what="watch reads the stream")
            events = _until_delivered(system, here, watching)
    assert list(dict.fromkeys(events)) == ["accepted", "submitting", "rendering", "completed", "delivered"]


def _until_delivered(system: System, here: CommandLine, watching: subprocess.Popen[str]) -> list[str]:
    """Submit a render, and return the states that are shown of it."""
    (record,) = here.json("submit", "-", given=json.dumps(system.request(hooks=[])))
    states: list[str] = []
    assert watching.stdout
    for line in watching.stdout:
        event = json.loads(line)
        assert event["id"] == record["id"]
        states.append(event["state"])
        if event["state"] == "delivered":
            break
    watching.send_signal(signal.SIGINT)
    assert watching.wait(20) == 0
    return states


def test_the_vendors_lists_are_searched(here: CommandLine) -> None:
    (model,) = here.json("models", "jonathan", "NAVY")
    assert model["id"] == "M000045058"
    assert [one["id"] for one in here.json("models", "조나단")] == ["M000045058"]
    assert here.json("models", "nobody") == []
    assert "BG00002320" in here("models").out
    (workspace,) = here.json("workspaces", "team")
    assert workspace["workspaceName"] == "Team workspace"
    assert here("models", "--account", "elsewhere").code == 5


def test_a_healthy_system_passes_the_doctor(system: System, here: CommandLine) -> None:
    report = here.json("doctor")
    verdict_of = {one["check"]: one["verdict"] for one in report["checks"]}
    assert report["ok"]
    for check in ("settings", "redis", "redis memory", "clock", "storage", "workers", "sweep", "vendor v3 (default)"):
        assert verdict_of[check] == "ok", report
    for queue in ("requests", "submit", "poll", "hooks"):
        assert verdict_of[f"queue {queue}"] == "ok"
    assert verdict_of["vendor v2 (default)"] == "ok"
    secrets = [value for name, value in system.environ.items() if name.endswith(("_KEY", "_SECRET"))]
    assert not any(secret in json.dumps(report) for secret in secrets)


def test_the_doctor_names_what_is_wrong(here: CommandLine) -> None:
    wrong = {"RENDERLINE_STORAGE_URL": "file:///proc/nowhere", "AISTUDIOS_BASE_URL": "http://127.0.0.1:9"}
    ended = here("doctor", "--json", **wrong)
    assert ended.code == 1
    failed = {one["check"]: one["advice"] for one in ended.value["checks"] if one["verdict"] == "fail"}
    assert "RENDERLINE_STORAGE_URL" in failed["storage"]
    assert failed["vendor v3 (default)"]
