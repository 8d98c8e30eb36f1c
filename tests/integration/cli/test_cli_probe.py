"""`renderline probe` against a sandbox of each variant: what it recognises, that it pays nothing and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import ROOT, SandboxProcess, call, until
from harness.forked_sandbox import ForkedSandbox
from tests.acceptance.command_line import COMMAND

AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en", "text": "Hello"}
FREE = {
    ("POST", "/api/odin/v3/auth/token"),
    ("POST", "/api/odin/v3/editor/project"),
    ("DELETE", "/api/odin/v3/editor/project"),
}


@pytest.fixture
def sandboxes(tmp_path: Path) -> Iterator[Callable[..., SandboxProcess]]:
    started: list[SandboxProcess] = []

    def start(*options: str) -> SandboxProcess:
        started.append(ForkedSandbox(tmp_path / f"sandbox-{len(started)}.log", "--samples", "off", *options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def probe(run: Any, redis: Any) -> Callable[..., dict[str, Any]]:
    """Probe a sandbox; returns the results by their id, and checks that nothing was paid and nothing is left."""

    def probe(sandbox: SandboxProcess, code: int, **more: str) -> dict[str, Any]:
        redis.flushall()
        before, calls = sandbox.control("GET", "charges"), sandbox.counts()
        result = run(
            "probe",
            "--yes",
            "--json",
            "--patience",
            "0.3",
            AISTUDIOS_BASE_URL=sandbox.url,
            AISTUDIOS_V2_BASE_URL=sandbox.url,
            **more,
        )
        assert result.code == code, result
        assert result.value["left"] is None
        assert sandbox.control("GET", "charges") == before
        counts = sandbox.counts()
        writing = {name for name in counts if counts[name] > calls.get(name, 0) and not name.startswith("GET ")}
        assert writing <= {" ".join(one) for one in FREE}
        assert [
            one["name"]
            for one in call("GET", f"{sandbox.url}/_sandbox/projects").json()
            if one["exports"] and "probe" in one["name"]
        ] == []
        return {one["id"]: one for one in result.value["results"]}

    return probe


def verdict_of_each(results: dict[str, Any], *names: str) -> list[str]:
    return [results[name]["verdict"] for name in names]


def test_the_plain_vendor(probe: Any, sandboxes: Any) -> None:
    sandbox = sandboxes("--clock-skew", "0", "--v2-key", "v2-key-of-the-tests")
    found = probe(sandbox, 1, AISTUDIOS_V2_SECRET_KEY="v2-key-of-the-tests")
    held = ("token_header", "token_refused", "list_models", "wrong_id", "draft", "draft_free", "draft_name", "deleted")
    assert set(verdict_of_each(found, *held, "clock")) == {"holds"}
    assert {name for name, one in found.items() if one["verdict"] == "differs"} == {"list_drafts"}
    assert "orphan" in found["list_drafts"]["found"]
    assert found["video_url"]["verdict"] == "unknown"
    assert "v2_wrong_id" in found
    (draft,) = sandbox.projects()
    assert (draft["deleted"], draft["exports"]) == (True, 0)
    assert "delete me" in draft["name"]


VARIANTS = {
    "--list all --order oldest --urls project --lists named --token-seconds 7200": {
        "list_drafts": ("holds", "row 2 of 2"),
        "list_order": ("differs", "row 2 of 2"),
        "video_url": ("differs", "in get-project (download_url);"),
        "list_models": ("holds", "in data.models"),
        "token_lifetime": ("holds", "2 h"),
        "list_finished": ("holds", "link missing"),
    },
    "--names cut --deleted readable --announced-limit 60 --clock-skew 300 --failures 200": {
        "draft_name": ("differs", "'Renderline probe"),
        "deleted": ("differs", "still readable"),
        "limits": ("differs", "x-ratelimit-limit: 60"),
        "clock": ("differs", "s ahead"),
        "token_refused": ("holds", "success: false"),
        "video_url": ("holds", "progress (downloadUrl)"),
    },
    "--list all": {"list_drafts": ("holds", "row 1 of 2"), "list_order": ("holds", "row 1 of 2")},
}


@pytest.mark.parametrize("options", VARIANTS)
def test_a_variant_is_recognised(probe: Any, sandboxes: Any, options: str) -> None:
    sandbox = sandboxes("--render-seconds", "0", *options.split())
    made = call("POST", f"{sandbox.url}/api/odin/v3/auth/token", json={"appId": "studioV3.tests", "userKey": "0"})
    url = f"{sandbox.url}/api/odin/v3/simple/video"
    token = {"Authorization": made.json()["data"]["token"]}
    assert call("POST", url, json={**AVATAR, "isExport": True}, headers=token).ok
    until(lambda: sandbox.projects()[0]["progress"] == 100)
    expected = VARIANTS[options]
    found = probe(sandbox, int(any(verdict == "differs" for verdict, _ in expected.values())))
    for name, (verdict, says) in expected.items():
        assert found[name]["verdict"] == verdict, found[name]
        assert says in found[name]["found"], found[name]


def test_a_deletion_that_fails_is_said_with_the_id(run: Any, redis: Any, sandboxes: Any) -> None:
    sandbox = sandboxes()
    sandbox.control("POST", "faults", call="DELETE /api/odin/v3/editor/project", fault="500", times=10)
    result = run("probe", "--yes", "--json", "--patience", "0.3", AISTUDIOS_BASE_URL=sandbox.url)
    assert result.code != 0
    (draft,) = sandbox.projects()
    assert draft["id"] in result.err
    assert "by hand" in result.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_probe_deletes_its_draft(environ: Any, sandboxes: Any, redis: Any, number: int) -> None:
    sandbox = sandboxes("--deleted", "gone")
    settings = {**os.environ, **environ, "AISTUDIOS_BASE_URL": sandbox.url}
    # The list hangs once the draft is there, so the signal comes in between.
    with subprocess.Popen(
        [*COMMAND, "probe", "--yes", "--patience", "20"], env=settings, cwd=ROOT, stderr=subprocess.PIPE
    ) as process:
        until(lambda: any("probe" in one["name"] for one in sandbox.projects()))
        process.send_signal(number)
        process.wait(30)
    assert process.returncode == 130
    assert all(one["deleted"] for one in sandbox.projects())
