"""Uploads and what requests name: names, sizes and types that lie, files of another tenant, private addresses."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import time
import zipfile
from pathlib import Path
from typing import Any, Final

from benchmarks.attack.addresses import SPELLINGS
from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import ATTACKER, ENDED, VICTIM, Target
from harness import until
from harness.documents import document

_NAMES: Final = (
    "../../../etc/cron.d/x.pdf",
    "..%2f..%2fx.pdf",
    "..\\..\\x.pdf",
    "/etc/passwd.pdf",
    "a\x00b.pdf",
    'a"; filename="b.pdf',
    "a.pdf\r\nX-Injected: yes\r\n\r\n.pdf",
    "\u202efdp.exe.pdf",
    "~root/.ssh/x.pdf",
    ".hidden.pdf",
    "con:stream.pdf",
    "x" * 900 + ".pdf",
    "\ud55c\uae00 \U0001f600.pdf",
)
_PDF: Final = b"%PDF-1.7\n" + b"attack " * 100


def _upload(target: Target, name: str, content: Any, *, tenant: str, **headers: str) -> Any:
    options = {"params": {"name": name}, "data": content, "headers": headers}
    return target.ask("POST", "/v1/uploads", tenant=tenant, **options)


def _stored(target: Target) -> list[Path]:
    return [path for path in (target.directory / "videos").rglob("*") if path.is_file()]


@attack("upload-names", "uploads whose names leave the folder, or write a header of their own")
def upload_names(target: Target, long: bool) -> Finding:
    wrong: list[str] = []
    taken = 0
    for number, name in enumerate(_NAMES):
        content = _PDF + str(number).encode()
        answer = _upload(target, name, content, tenant=ATTACKER)
        if answer.status_code != 201:
            wrong += [] if answer.status_code in (400, 422) else [f"{name[:20]!r}: {answer.status_code}"]
            continue
        taken += 1
        shown = answer.json()["name"]
        if any(not one.isprintable() or one in '/\\":;\u202e' for one in shown) or shown.startswith((".", "~")):
            wrong.append(repr(shown))
    home = target.directory / "videos" / "uploads" / "tenants" / ATTACKER
    astray = [path for path in _stored(target) if b"attack attack" in path.read_bytes() and path.parent != home]
    held = not wrong and not astray
    figure = f"{len(_NAMES)} names: {taken} cleaned, the others refused; {len(astray)} files elsewhere"
    return Finding(held, figure + (f"; {wrong[0]}" if wrong else ""))


@attack("lying-uploads", "uploads whose length, type or packing lies, and an archive that unpacks to a gigabyte")
def lying_uploads(target: Target, long: bool) -> Finding:
    before = set(_stored(target))
    target.gateway.forget_peak()
    start = target.gateway.memory()
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("data/bomb", "w", force_zip64=True) as entry,
    ):
        for _ in range(64):
            entry.write(bytes(16 << 20))
    cases: list[tuple[str, Any, dict[str, str]]] = [
        ("a.pptx", bomb.getvalue(), {}),
        ("a.pdf", b"MZ\x90\x00" * 1000, {}),
        ("a.mp4", _PDF, {}),
        ("a.exe", b"MZ", {}),
        ("a.txt", b"\xff\xfe\x00binary", {}),
        ("a.pdf", b"", {}),
        ("a.pdf", iter([_PDF]), {}),
        ("a.pdf", _PDF, {"Content-Encoding": "gzip"}),
    ]
    answers = [
        _upload(target, name, content, tenant=ATTACKER, **headers).status_code for name, content, headers in cases
    ]
    answers += [_lies(target, length) for length in ("1000000", "99999999999", "-1", "9" * 40)]
    kept = len(set(_stored(target)) - before)
    grown = (target.gateway.memory() - start) >> 20
    held = not kept and grown < 64 and all(not answer or 400 <= answer < 500 for answer in answers)
    return Finding(held, f"{len(answers)} uploads: {sorted(set(answers))}; {kept} stored, {max(0, grown)} MiB")


def _lies(target: Target, length: str) -> int:
    """Announce this length and send less; returns the status of the answer, 0 without one."""
    head = f"POST /v1/uploads?name=a.pdf HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {target.keys[ATTACKER]}\r\n"
    with socket.create_connection(("127.0.0.1", target.gateway.port), timeout=5) as connection:
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + _PDF)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                received += piece
    return int(received.split()[1]) if received.startswith(b"HTTP/1.1 ") else 0


@attack("foreign-uploads", "naming another tenant's upload, and telling whether somebody has uploaded a file")
def foreign_uploads(target: Target, long: bool) -> Finding:
    deck = document("pptx")
    stored = _upload(target, "deck.pptx", deck, tenant=VICTIM)
    assert stored.status_code == 201, stored.text
    theirs = stored.json()["file"]
    nobodys = f"upload:{hashlib.sha256(b'nobody has this').hexdigest()}/deck.pptx"
    requests: list[dict[str, Any]] = [
        {"kind": "slides", "file": "FILE"},
        {"kind": "slides", "payload": {"file": "FILE"}},
        {"kind": "slides", "file": "FILE", "validation": "warn"},
        {"kind": "document_video", "files": ["FILE"]},
        {"kind": "document_video", "payload": {"files": ["FILE"]}},
        {"kind": "document_video", "files": [{"uri": "FILE", "fileName": "deck.pptx"}], "validation": "warn"},
    ]

    def said(request: Any, file: str) -> str:
        filled = _with(request, file)
        answer = target.submit(filled, tenant=ATTACKER)
        shown = answer.text.replace(file, "FILE").replace(file[7:19], "HASH")
        return f"{answer.status_code} {shown}"

    pairs = [(said(one, theirs), said(one, nobodys)) for one in requests]
    taken = sum(not one.startswith("422") for one, _ in pairs)
    differed = sum(_plain(one) != _plain(other) for one, other in pairs)
    own = _upload(target, "deck.pptx", deck, tenant=ATTACKER)
    differed += own.status_code != 201 or own.json() != stored.json()
    return Finding(
        not taken and not differed,
        f"{len(pairs)} requests: {taken} taken, {differed} differ from those for a file of nobody",
    )


def _with(value: Any, file: str) -> Any:
    if isinstance(value, dict):
        return {name: _with(one, file) for name, one in value.items()}
    if isinstance(value, list):
        return [_with(one, file) for one in value]
    return file if value == "FILE" else value


def _plain(answer: str) -> str:
    """Return an answer without what differs in every one of them."""
    return answer.partition('"instance"')[0].partition('"request_id"')[0]


@attack("private-files", "files and pages at private addresses, in every spelling")
def private_files(target: Target, long: bool) -> Finding:
    reached = 0
    with target.strict() as (gateway, key), socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        port = trap.getsockname()[1]
        urls = [f"https://{host}:{port}/deck.pptx" for host in SPELLINGS]
        urls += [f"https://user:secret@127.0.0.1:{port}/deck.pptx", "file:///etc/passwd.pptx", "ftp://127.0.0.1/a.pptx"]
        statuses, ids = [], []
        for url in urls:
            answer = gateway.ask("POST", "/v1/renders", {"kind": "slides", "file": url}, key=key)
            statuses.append(answer.status_code)
            ids += [answer.json()["id"]] if answer.status_code == 202 else []
            page = {"kind": "url_video", "url": url.replace(".pptx", ".html").replace("https:", "http:")}
            answer = gateway.ask("POST", "/v1/renders", page, key=key)
            ids += [answer.json()["id"]] if answer.status_code == 202 else []
        for one in ids:
            _ended(gateway, one, key)
        with contextlib.suppress(TimeoutError):
            while True:
                trap.accept()[0].close()
                reached += 1
    figure = f"{len(urls)} files and pages: {len(ids)} accepted, {reached} reached"
    return Finding(not reached, figure)


def _ended(gateway: Any, render_id: str, key: str) -> None:
    until(
        lambda: gateway.ask("GET", f"/v1/renders/{render_id}", key=key).json()["state"] in ENDED,
        seconds=60,
        what=f"the end of {render_id}",
    )


@attack("foreign-lists", "reading another tenant's vendor projects by lists and ids, in every spelling of an id")
def foreign_lists(target: Target, long: bool) -> Finding:
    render_id = target.accepted({"kind": "topic_video", "topic": "Merger-Of-Zanzibar"}, tenant=VICTIM)
    project = target.ended(render_id, tenant=VICTIM)["project_id"]
    own = target.accepted({"kind": "topic_video", "topic": "Mine."}, tenant=ATTACKER)
    target.ended(own, tenant=ATTACKER)
    first = "".join(f"%{ord(one):02x}" for one in project)
    spellings = (project, project.upper(), f"{project}%20", f"%20{project}", first, f"./{project}", f"x/../{project}")
    shown = 0
    for spelling in spellings:
        for path in (f"/v1/projects/{spelling}", f"/v1/projects/{spelling}/template"):
            answer = target.ask("GET", path, tenant=ATTACKER)
            shown += answer.status_code not in (404, 308) or "Zanzibar" in answer.text
    page: dict[str, Any] = {}
    for query in ("", "?search=zanzibar", f"?search={project}", "?cursor=1"):
        for _ in range(40):
            answer = target.ask("GET", f"/v1/projects{query}", tenant=ATTACKER)
            if answer.status_code == 200:
                break
            time.sleep(0.25)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        shown += project in answer.text or "Zanzibar" in answer.text
    counts = page.get("next") is not None
    return Finding(not shown and not counts, f"{2 * len(spellings)} ids and 4 lists: {shown} showed it")
