"""Links to stored files: who may make one, what it gives without a key, and when it ends."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from redis import Redis

from harness.docs.snippets import blocks
from harness.gateway import GatewayProcess
from harness.gateway_app import gateway_app
from harness.ledger import LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.forgetting import Forgetter
from renderline.gateway.api_keys import ApiKeys
from renderline.hooks.tenant_folders import TenantFolders
from renderline.ledger import Ledger
from renderline.operations import Operations
from renderline.signed_urls.download_links import LONGEST, DownloadLinks
from renderline.tenants import COMMAND_LINE

SECRET = "the signing key of these tests, 32 and more"
SMALL = bytes(range(256)) * 40
GERMAN = b"0123456789abcdef" * 40_000
ONE, OTHER = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("storage")
    (folder / "tenants/acme").mkdir(parents=True)
    (folder / "tenants/globex").mkdir()
    (folder / "tenants/acme/Süß.mp4").write_bytes(SMALL)
    (folder / "tenants/acme/german.mp4").write_bytes(GERMAN)
    (folder / "tenants/globex/theirs.mp4").write_bytes(b"theirs")
    return folder


@pytest.fixture(scope="module")
def gateway_options(storage: Path) -> dict[str, Any]:
    return {
        "RENDERLINE_API_KEYS_REQUIRED": "true",
        "RENDERLINE_STORAGE_URL": storage.as_uri(),
        "RENDERLINE_SECRET_KEY": SECRET,
    }


@pytest.fixture
def key(redis: Redis) -> dict[str, str]:
    return {"Authorization": f"Bearer {ApiKeys(redis).create('reader', ['read'], tenant='acme')}"}


@pytest.fixture
def render(redis: Redis, storage: Path) -> LedgerDriver:
    """A delivered render of the tenant acme with a video and two outputs, of which the second is stored."""
    driver = LedgerDriver(redis)
    driver.complete(ONE, hooks=0, tenant="acme")
    base = f"{storage.as_uri()}/tenants/acme"
    fields = {
        "stored_url": f"{base}/S%C3%BC%C3%9F.mp4",
        "outputs": '[{"language": "fr"}, {"language": "de"}]',
        "stored_outputs": f'{{"1": "{base}/german.mp4"}}',
    }
    redis.hset(f"renderline:render:{ONE}", mapping=fields)
    return driver


@pytest.fixture
def make(render: LedgerDriver, gateway: GatewayProcess, key: dict[str, str]) -> Any:
    """Return a function that asks for a link, and returns its URL."""

    def make(**body: Any) -> str:
        answer = gateway.ask("POST", f"/v1/renders/{ONE}/links", body, headers=key)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    return make


def test_a_link_gives_the_file_to_a_caller_without_a_key(gateway, make, key):
    before = int(time.time())
    answer = gateway.ask("POST", f"/v1/renders/{ONE}/links", headers=key)
    assert answer.status_code == 201
    assert set(answer.json()) == {"url", "expires_at"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", answer.json()["expires_at"])
    url = answer.json()["url"]
    expires = int(url.rpartition("/")[2].split(".")[1])
    assert before + 3600 <= expires <= time.time() + 3600
    # Where the caller has called the gateway: nothing else is known of its address.
    assert url.startswith(f"{gateway.url}/links/{ONE}/")
    assert key["Authorization"].removeprefix("Bearer ") not in url
    whole = requests.get(url, timeout=10)
    assert (whole.status_code, whole.content) == (200, SMALL)
    assert whole.headers["Content-Type"] == "video/mp4"
    assert (
        whole.headers["Content-Disposition"] == "attachment; filename=\"S__.mp4\"; filename*=UTF-8''S%C3%BC%C3%9F.mp4"
    )
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    head = requests.head(url, timeout=10)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(SMALL)))
    part = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=10)
    assert (part.status_code, part.content) == (206, SMALL[10:20])
    beyond = requests.get(url, headers={"Range": "bytes=99999999-"}, timeout=10)
    assert beyond.status_code == 416
    for method in ("POST", "PUT", "DELETE"):
        assert requests.request(method, url, timeout=10).status_code == 405


def test_an_output_has_a_link_of_its_own(make, gateway, key):
    url = make(output=1, expires_in=60)
    assert requests.get(url, timeout=10).content == GERMAN
    tail = requests.get(url, headers={"Range": "bytes=-5"}, timeout=10)
    assert (tail.status_code, tail.content) == (206, GERMAN[-5:])
    for output, said in ((0, "not stored"), (2, "they are 0 to 1")):
        answer = gateway.ask("POST", f"/v1/renders/{ONE}/links", {"output": output}, headers=key)
        assert answer.status_code == 409
        assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [{"expires_in": 0}, {"expires_in": LONGEST + 1}, {"expires_in": "1h"}, {"output": -1}, {"until": 1}]
)
def test_a_wrong_field_is_named(render, gateway, key, body):
    answer = gateway.ask("POST", f"/v1/renders/{ONE}/links", body, headers=key)
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == list(body)


def test_only_who_may_see_the_render_makes_a_link(render, gateway, redis):
    keys = ApiKeys(redis)
    theirs = {"Authorization": f"Bearer {keys.create('other', ['admin'], tenant='globex')}"}
    foreign = gateway.ask("POST", f"/v1/renders/{ONE}/links", headers=theirs)
    unknown = gateway.ask("POST", f"/v1/renders/{OTHER}/links", headers=theirs)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    submits = {"Authorization": f"Bearer {keys.create('submits', ['submit'], tenant='acme')}"}
    assert gateway.ask("POST", f"/v1/renders/{ONE}/links", headers=submits).status_code == 403
    assert gateway.ask("POST", f"/v1/renders/{ONE}/links").status_code == 401


def test_a_changed_a_foreign_and_an_expired_link_give_nothing(make, gateway, redis, storage):
    url = make()
    head, _, signed = url.rpartition("/")
    file, expires, mac = signed.split(".")
    changed = [
        f"{head}/1.{expires}.{mac}",
        f"{head}/{file}.{int(expires) + 1}.{mac}",
        f"{head}/{file}.{expires}.{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
        f"{head}/{file}.{expires}.",
        f"{head}/{signed}0",
        url.replace(ONE, OTHER),
    ]
    driver = LedgerDriver(redis)
    driver.accept(OTHER, tenant="globex")
    redis.hset(f"renderline:render:{OTHER}", "stored_url", f"{storage.as_uri()}/tenants/globex/theirs.mp4")
    another = DownloadLinks("the signing key of another installation").make(Ledger(redis).record(OTHER), seconds=60)
    for one in (*changed, gateway.url + another.path):
        answer = requests.get(one, timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json"), one
        assert answer.json()["detail"] == "This link is not as it was made; ask for a new one."
    past = DownloadLinks(SECRET, clock=lambda: time.time() - 3601).make(Ledger(redis).record(ONE))
    answer = requests.get(gateway.url + past.path, timeout=10)
    assert (answer.status_code, answer.json()["detail"]) == (410, "This link has expired; ask for a new one.")


def test_a_link_gives_files_of_the_renders_tenant_alone(make, gateway, redis, storage):
    """A record may come to name another file; the link gives what its tenant may read."""
    url = make()
    for elsewhere in (f"{storage.as_uri()}/tenants/globex/theirs.mp4", "file:///etc/passwd", "https://127.0.0.1:9/a"):
        redis.hset(f"renderline:render:{ONE}", "stored_url", elsewhere)
        assert requests.get(url, timeout=10).status_code == 404


def test_a_link_ends_when_the_render_is_forgotten(make, redis, key, gateway):
    url, german = make(), make(output=1)
    ledger = Ledger(redis)
    Forgetter(Operations(ledger, RecordedDispatcher(), ())).forget(ONE, actor=COMMAND_LINE)
    for one in (url, german):
        answer = requests.get(one, timeout=10)
        assert (answer.status_code, answer.json()["detail"]) == (410, "The render of this link was forgotten.")
    assert gateway.ask("POST", f"/v1/renders/{ONE}/links", headers=key).status_code == 409
    redis.delete(f"renderline:render:{ONE}")
    assert requests.get(url, timeout=10).status_code == 410


def test_no_log_line_has_the_signature(make, gateway):
    url = make()
    assert requests.get(url, timeout=10).status_code == 200
    assert requests.get(f"{url}0", timeout=10).status_code == 403
    requests.get(url.replace("/links/", "/linkz/"), timeout=10)
    log = gateway.output()
    assert "/links/<render_id:render_id>/<signed>" in log
    assert url.rpartition(".")[2] not in log


def test_the_public_address_is_the_one_of_links(redis, storage, render):
    where = "https://renders.example.com/video"
    options = {"videos": TenantFolders(storage.as_uri()), "download_links": DownloadLinks(SECRET)}
    caller = gateway_app(redis, public_url=f"{where}/", **options).test_client()
    url = caller.post(f"/v1/renders/{ONE}/links").json["url"]
    assert url.startswith(f"{where}/links/{ONE}/video.")
    # The proxy takes the path away.
    assert caller.get(urlsplit(url).path.removeprefix("/video")).data == SMALL


def test_without_a_signing_key_there_are_no_links(redis, storage, render):
    caller = gateway_app(redis, videos=TenantFolders(storage.as_uri())).test_client()
    answer = caller.post(f"/v1/renders/{ONE}/links")
    assert (answer.status_code, "RENDERLINE_SECRET_KEY" in answer.json["detail"]) == (503, True)
    link = DownloadLinks(SECRET).make({"id": ONE, "stored_url": "file:///x", "outputs": []})
    assert caller.get(link.path).status_code == 404


def test_the_session_on_the_page_fetches_the_file(render, gateway, key, tmp_path):
    (block,) = (one for one in blocks() if one.page == "docs/http-api.md" and one.text.startswith("LINK=$(curl"))
    environ = {"URL": gateway.url, "RENDER": f"/v1/renders/{ONE}", "KEY": key["Authorization"].removeprefix("Bearer ")}
    subprocess.run(["bash", "-ec", block.text], cwd=tmp_path, env={**os.environ, **environ}, check=True, timeout=60)
    assert (tmp_path / "video.mp4").read_bytes() == SMALL
