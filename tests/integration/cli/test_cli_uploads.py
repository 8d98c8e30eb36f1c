"""Files are uploaded by the command line, by themselves and with the requests that name them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.documents import document

DECK = document("pptx")
SHA = hashlib.sha256(DECK).hexdigest()


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    path = tmp_path / "My deck.pptx"
    path.write_bytes(DECK)
    return path


def stored(tmp_path: Path) -> list[str]:
    folder = tmp_path / "videos" / "uploads"
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_an_uploaded_file_has_a_reference(run, deck, tmp_path):
    ended = run("upload", str(deck), "--tenant", "acme", "--json")
    assert ended.code == 0, ended.err
    assert ended.value == [{"file": f"upload:{SHA}/My-deck.pptx", "name": "My-deck.pptx", "bytes": len(DECK)}]
    assert run("upload", str(deck)).out.strip() == f"upload:{SHA}/My-deck.pptx"
    assert stored(tmp_path) == [f"tenants/acme/{SHA}", f"tenants/default/{SHA}"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("deck.pptx", b"%PDF-1.7", "is no pptx file"), ("deck.exe", b"MZ", "unknown type"), ("deck.pdf", b"", "is empty")],
)
def test_what_is_no_such_file_is_refused(run, tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    ended = run("upload", str(path))
    assert ended.code == 2
    assert f"{name} " in ended.err
    assert said in ended.err
    assert not stored(tmp_path)


def test_a_tenant_is_a_name(run, deck):
    ended = run("upload", str(deck), "--tenant", "../acme")
    assert ended.code == 2
    assert "--tenant" in ended.err


def test_without_a_storage_it_says_what_to_set(run, deck):
    ended = run("upload", str(deck), RENDERLINE_STORAGE_URL="")
    assert ended.code == 2
    assert "RENDERLINE_UPLOADS_URL" in ended.err


def test_a_request_names_a_local_file(run, deck, request_file, tmp_path):
    request = {"kind": "slides", "file": deck.name, "name": "Deck"}
    ended = run(
        "submit", request_file([request, {**request, "name": "Again"}, {**request, "tenant": "acme"}]), "--json"
    )
    assert ended.code == 0, ended.err
    assert [one["kind"] for one in ended.value] == ["slides"] * 3
    assert stored(tmp_path) == [f"tenants/acme/{SHA}", f"tenants/default/{SHA}"]
    by_path = {"kind": "slides", "payload": {"file": str(deck)}}
    assert run("submit", request_file(by_path, "other.json")).code == 0


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("nowhere.pptx", "file: nowhere.pptx cannot be read"),
        ("notes.txt", "file: is a file of another type; allowed: pdf, pptx, ppt"),
        (f"upload:{SHA}/deck.pptx", "file: no file deck.pptx"),
        ("https://127.0.0.1/deck.pptx", "file: must have a public address"),
        ("http://example.com/deck.pptx", "file: must be upload:"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_before_anything_is_submitted(run, request_file, tmp_path, file, said):
    (tmp_path / "notes.txt").write_text("notes")
    ended = run("submit", request_file([{"kind": "slides", "file": file}]))
    assert ended.code == 2
    assert said in ended.err
    assert run("list", "--json").value["renders"] == []
