"""Files are uploaded as they come: checked, limited, stored for their tenant, in little memory."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis

from harness import until
from harness.documents import archive, document
from harness.gateway import GatewayProcess, assert_problem
from harness.gateway_app import gateway_app
from renderline.gateway.api_keys import ApiKeys
from renderline.uploads import UploadStore, parse

MOST = 40 << 20
PER_DAY = 100 << 20
DECK = document("pptx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def gateway_options(folder: Path) -> dict[str, Any]:
    return {
        "RENDERLINE_API_KEYS_REQUIRED": "true",
        "RENDERLINE_UPLOADS_URL": folder.as_uri(),
        "RENDERLINE_MAX_UPLOAD_BYTES": str(MOST),
        "RENDERLINE_UPLOAD_BYTES_PER_DAY": str(PER_DAY),
        "RENDERLINE_GATEWAY_BODY_TIMEOUT": "0.5",
        "RENDERLINE_GATEWAY_UPLOAD_TIMEOUT": "10",
    }


@pytest.fixture
def keys(redis: Redis) -> ApiKeys:
    return ApiKeys(redis)


@pytest.fixture
def key(keys: ApiKeys) -> str:
    return keys.create("acme", ["submit"], tenant="acme")


def post(gateway: GatewayProcess, key: str, body: Any, name: str = "deck.pptx", **headers: str) -> requests.Response:
    return gateway.ask(
        "POST", "/v1/uploads", params={"name": name}, data=body, headers={"Authorization": f"Bearer {key}", **headers}
    )


def stored(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_a_file_is_stored_for_the_tenant_of_the_key(gateway: GatewayProcess, key: str, folder: Path) -> None:
    answer = post(gateway, key, DECK, "../My deck.pptx")
    sha = hashlib.sha256(DECK).hexdigest()
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"file": f"upload:{sha}/My-deck.pptx", "name": "My-deck.pptx", "bytes": len(DECK)}
    assert f"tenants/acme/{sha}" in stored(folder)
    reference = parse(answer.json()["file"])
    assert reference is not None
    store = UploadStore(folder.as_uri(), max_bytes=MOST)
    with store.read(reference, tenant="acme") as file:
        assert file.read() == DECK
    assert not store.has(reference, tenant="default")


@pytest.mark.parametrize(
    ("name", "body", "status", "paths"),
    [
        ("deck.pptx", document("pdf"), 422, ["file"]),
        ("deck.pptx", archive("word/document.xml"), 422, ["file"]),
        ("deck.exe", DECK, 422, ["name"]),
        ("deck", DECK, 422, ["name"]),
        ("", DECK, 422, ["name"]),
        ("deck.pptx", b"", 422, ["file"]),
        ("deck.pptx", b"x" * (MOST + 1), 413, []),
    ],
)
def test_what_is_refused_is_not_stored(
    gateway: GatewayProcess, key: str, folder: Path, name: str, body: bytes, status: int, paths: list[str]
) -> None:
    before = stored(folder)
    assert_problem(post(gateway, key, body, name), status, *paths)
    assert stored(folder) == before
    assert post(gateway, key, DECK).status_code == 201


def test_a_length_that_is_not_announced_is_asked_for(gateway: GatewayProcess, key: str) -> None:
    assert_problem(post(gateway, key, iter([DECK])), 411)


def test_a_name_is_needed_and_nothing_else_known(gateway: GatewayProcess, key: str) -> None:
    header = {"Authorization": f"Bearer {key}"}
    assert_problem(gateway.ask("POST", "/v1/uploads", data=DECK, headers=header), 422, "name")
    wrong = gateway.ask("POST", "/v1/uploads", params={"name": "a.pdf", "folder": "x"}, data=DECK, headers=header)
    assert_problem(wrong, 422, "folder")


@pytest.mark.parametrize(("scopes", "status"), [(["read"], 403), (["submit"], 201), (["admin"], 201)])
def test_it_takes_the_scope_submit(gateway: GatewayProcess, keys: ApiKeys, scopes: list[str], status: int) -> None:
    assert post(gateway, keys.create("one", scopes), DECK).status_code == status


def test_a_caller_without_a_key_sends_nothing(gateway: GatewayProcess, folder: Path) -> None:
    before = stored(folder)
    line = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    line.putrequest("POST", "/v1/uploads?name=deck.pptx")
    line.putheader("Content-Length", str(MOST))
    line.endheaders(DECK)
    # The rest of the body never comes: the answer does not wait for it.
    with line.getresponse() as answer:
        assert answer.status == 401
    line.close()
    assert stored(folder) == before


def test_a_key_uploads_for_its_tenant_alone(gateway: GatewayProcess, keys: ApiKeys, key: str, folder: Path) -> None:
    def named(key: str, tenant: str) -> requests.Response:
        header = {"Authorization": f"Bearer {key}"}
        return gateway.ask("POST", "/v1/uploads", params={"name": "a.pdf", "tenant": tenant}, data=PDF, headers=header)

    assert_problem(named(key, "globex"), 422, "tenant")
    assert_problem(named(key, "../acme"), 422, "tenant")
    assert named(key, "acme").status_code == 201
    assert named(keys.create("operator", ["operator"]), "globex").status_code == 201
    assert len([one for one in stored(folder) if one.startswith("tenants/globex/")]) == 1


PDF = document("pdf")


def test_a_client_that_goes_away_leaves_nothing(gateway: GatewayProcess, key: str, folder: Path) -> None:
    before = stored(folder)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
        client.sendall(_head(key, 1_000_000) + b"%PDF-1.7\n" + b"x" * 300_000)
        until(lambda: len(_partial(folder)) == 1, what="the first bytes in the storage")
    until(lambda: not _partial(folder), what="the end of the partial file")
    assert stored(folder) == before


def _head(key: str, length: int, name: str = "a.pdf") -> bytes:
    lines = [f"POST /v1/uploads?name={name} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def _partial(folder: Path) -> list[Path]:
    return list(folder.rglob(".*.part"))


def test_an_upload_may_take_longer_than_another_body(gateway: GatewayProcess, key: str) -> None:
    """Other bodies have half a second here."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
        client.sendall(_head(key, len(PDF)) + PDF[:5])
        threading.Event().wait(0.8)
        client.sendall(PDF[5:])
        assert client.recv(65536).startswith(b"HTTP/1.1 201 ")


def test_a_tenant_has_half_of_the_uploads_and_others_the_rest(
    gateway: GatewayProcess, key: str, keys: ApiKeys, folder: Path
) -> None:
    clients = []
    try:
        for _ in range(4):
            client = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
            clients.append(client)
            client.sendall(_head(key, 1_000_000) + b"%PDF-1.7\n" + b"x" * 300_000)
        until(lambda: len(_partial(folder)) == 4, what="four uploads")
        assert_problem(post(gateway, key, DECK), 429)
        assert post(gateway, keys.create("globex", ["submit"], tenant="globex"), DECK).status_code == 201
        # The rest of the API has threads of its own.
        assert gateway.ask("GET", "/healthz").status_code == 200
    finally:
        for client in clients:
            client.close()
    until(lambda: not _partial(folder), what="the end of the partial files")


def test_a_tenant_uploads_so_many_bytes_in_a_day(gateway: GatewayProcess, keys: ApiKeys, redis: Redis) -> None:
    acme, globex = (keys.create(name, ["submit"], tenant=name) for name in ("acme", "globex"))
    assert post(gateway, acme, PDF, "a.pdf").status_code == 201
    (counter,) = redis.scan_iter("renderline:uploaded_bytes:acme:*")
    assert int(redis.get(counter)) == len(PDF)
    assert 0 < redis.ttl(counter) <= 2 * 86_400
    post(gateway, acme, document("pdf"), "a.pptx")
    assert int(redis.get(counter)) == len(PDF), "what is refused is not counted"
    redis.set(counter, PER_DAY - len(PDF) + 1)
    refused = post(gateway, acme, PDF, "a.pdf")
    assert "may upload 104,857,600 bytes in a day" in assert_problem(refused, 429)["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert int(redis.get(counter)) == PER_DAY - len(PDF) + 1
    assert post(gateway, globex, PDF, "a.pdf").status_code == 201


def resident(gateway: GatewayProcess) -> int:
    """Return the most memory that any process of the gateway has had, in KiB."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            status = Path(f"/proc/{entry}/status")
            try:
                text = status.read_text()
            except OSError:
                continue
            fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            if str(gateway.popen.pid) in (entry, fields.get("PPid")):
                found.append(int(fields["VmHWM"].split()[0]))
    return max(found)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_large_file_takes_little_memory(gateway: GatewayProcess, key: str, tmp_path: Path) -> None:
    deck = tmp_path / "large.pdf"
    with deck.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(MOST)
    post(gateway, key, PDF, "a.pdf")
    before = resident(gateway)
    with deck.open("rb") as file:
        answer = post(gateway, key, file, "large.pdf")
    assert answer.status_code == 201, answer.text
    assert resident(gateway) - before < 8 * 1024


def test_an_installation_without_storage_says_so(redis: Redis) -> None:
    answer = gateway_app(redis).test_client().post("/v1/uploads?name=a.pdf", data=PDF, base_url="http://localhost")
    assert answer.status_code == 503
    assert "RENDERLINE_UPLOADS_URL" in answer.get_json()["detail"]
