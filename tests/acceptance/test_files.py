"""Renders of files end to end: real workers, a gateway, real Valkey, the sandbox over HTTP."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.documents import document
from harness.gateway import ForkedGateway
from tests.acceptance.command_line import CommandLine, CommandLineHere, reach
from tests.acceptance.conftest import System

DECK = document("pptx", "a deck")


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "1", "--generation-seconds", "0.6", workers=1)


@pytest.fixture
def renderline(system: System, tmp_path: Path) -> CommandLine:
    return CommandLineHere(system.environ, tmp_path)


def write(folder: Path, name: str, text: str = "one") -> Path:
    path = folder / name
    path.write_bytes(document(name.rpartition(".")[2], text))
    return path


def charged(system: System) -> dict[str, int]:
    """Return how often the vendor began each sort of what costs."""
    started: dict[str, int] = system.sandbox.control("GET", "charges")["started"]
    return started


def more(system: System, before: dict[str, int]) -> dict[str, int]:
    return {
        sort: count - before.get(sort, 0) for sort, count in charged(system).items() if count != before.get(sort, 0)
    }


def uploads(system: System) -> Path:
    return system.directory / "videos" / "uploads" / "tenants" / "default"


def test_a_deck_that_was_uploaded_over_http_is_rendered(system: System, tmp_path: Path) -> None:
    gateway = ForkedGateway(tmp_path / "gateway.log", **system.environ)
    try:
        sent = requests.post(f"{gateway.url}/v1/uploads", params={"name": "Talk.pptx"}, data=DECK, timeout=30)
        assert sent.status_code == 201, sent.text
        file = sent.json()["file"]
        before = charged(system)
        request = {"kind": "slides", "file": file, "name": "Talk", "resolution": "720", "hooks": [{"type": "download"}]}
        one = gateway.accept(request)
    finally:
        gateway.stop()
    record = reach(system, one, "delivered")
    (project,) = system.projects_of(one)
    assert project["id"] == record["project_id"]
    assert project["name"].startswith("Talk [")
    assert record["stored_url"]
    assert sum(more(system, before).values()) == 1


def test_a_draft_of_a_deck_is_not_exported(system: System) -> None:
    before = charged(system)
    one = system.enqueue({"kind": "slides", "file": reference(system, "deck.pdf"), "export": False})
    record = reach(system, one, "delivered")
    (project,) = system.projects_of(one)
    assert (project["exports"], record["download_url"]) == (0, None)
    assert more(system, before) == {}


def reference(system: System, name: str, text: str = "one") -> str:
    """Store a file where the workers look for it, as an upload does; return the reference."""
    content = document(name.rpartition(".")[2], text)
    sha = hashlib.sha256(content).hexdigest()
    uploads(system).mkdir(parents=True, exist_ok=True)
    (uploads(system) / sha).write_bytes(content)
    return f"upload:{sha}/{name}"


def test_documents_of_the_command_line_are_generated_exported_and_paid_once(
    system: System, renderline: CommandLine, tmp_path: Path
) -> None:
    endings = ("txt", "pdf", "xls", "xlsx", "doc", "docx", "pptx", "ppt")
    files = [write(tmp_path, f"part.{ending}", ending).name for ending in endings]
    request = {"kind": "document_video", "files": files, "options": {"language": "en", "media": "free"}}
    (tmp_path / "request.json").write_text(json.dumps(request))
    before = charged(system)
    (record,) = renderline.json("submit", "request.json", "--download", "--wait")
    assert (record["state"], record["stage"]) == ("delivered", "export")
    assert Path(record["stored_url"].removeprefix("file://")).stat().st_size
    assert more(system, before) == {"generation": 1, "export": 1}


@pytest.mark.parametrize("kind", ["slides", "document_video"])
def test_a_file_that_is_gone_fails_the_render_before_any_call_and_a_retry_goes_on(
    system: System, renderline: CommandLine, kind: str
) -> None:
    file = reference(system, "gone.pptx", kind)
    request = {"kind": kind, "file": file} if kind == "slides" else {"kind": kind, "files": [file]}
    before = charged(system)
    assert renderline("pause", "default").code == 0
    one = system.enqueue(request)
    (uploads(system) / file[len("upload:") :].partition("/")[0]).unlink()
    assert renderline("resume", "default").code == 0
    record = reach(system, one, "failed")
    assert (record["error"]["code"], record["error"]["origin"]) == ("unfit_request", "caller")
    path = "file" if kind == "slides" else "files.0"
    assert record["error"]["message"].startswith(f"{path}: no file gone.pptx")
    assert "upload the same file again" in record["error"]["message"]
    assert more(system, before) == {}
    reference(system, "gone.pptx", kind)
    assert renderline("retry", one).code == 0
    reach(system, one, "delivered")


def test_a_file_that_was_changed_in_the_storage_is_never_sent(system: System) -> None:
    file = reference(system, "changed.pdf")
    sha = file[len("upload:") :].partition("/")[0]
    (uploads(system) / sha).write_bytes(document("pdf", "other words"))
    before = len(system.sandbox.projects())
    one = system.enqueue({"kind": "slides", "file": file})
    record = reach(system, one, "failed")
    assert "changed.pdf has changed in the storage" in record["error"]["message"]
    assert len(system.sandbox.projects()) == before
    (uploads(system) / sha).unlink()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("upload:" + "0" * 64 + "/deck.pptx", "file: no file deck.pptx"),
        ("upload:" + "0" * 64 + "/notes.txt", "file: is a file of another type; allowed: pdf, pptx, ppt"),
        ("https://10.0.0.1/deck.pptx", "file: must have a public address"),
        ("deck.pptx", "file: must be upload:"),
    ],
)
def test_a_request_whose_file_cannot_be_sent_is_refused_at_the_door(system: System, file: str, said: str) -> None:
    with pytest.raises(Exception, match="file: ") as refused:
        system.enqueue({"kind": "slides", "file": file})
    assert said in str(refused.value)


def test_a_source_that_is_not_there_fails_the_render_before_any_call(system: System) -> None:
    before = len(system.sandbox.projects())
    one = system.enqueue({"kind": "slides", "file": "https://files.invalid/deck.pptx?token=topsecret"})
    record = reach(system, one, "failed")
    assert record["error"]["message"].startswith("file: https://files.invalid was not reached")
    assert "topsecret" not in str(record)
    assert len(system.sandbox.projects()) == before
