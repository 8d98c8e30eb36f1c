"""deploy/nginx/renderline.conf: the gateway behind nginx with TLS, as somebody from outside uses it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from redis import Redis

from harness import ROOT, Valkey, a_request, free_port, until
from harness.gateway import ForkedGateway, GatewayProcess, Stream
from harness.processes import Process
from harness.tls_redis import Authority
from renderline.gateway.api_keys import ApiKeys

CONFIGURATION = ROOT / "deploy/nginx/renderline.conf"
MISSING = [name for name in ("nginx", "openssl") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING) and not os.environ.get("CI"), reason=f"not installed: {', '.join(MISSING)}"
)


class Outside(requests.Session):
    """Calls through the proxy, with the certificate checked."""

    def __init__(self, port: int, authority: Authority, key: str) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(authority.certificate)
        self.headers["Authorization"] = f"Bearer {key}"
        self.at = f"https://localhost:{port}"


@pytest.fixture(scope="module")
def gateway(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("behind-nginx")
    environ = {"RENDERLINE_API_KEYS_REQUIRED": "true", "RENDERLINE_TRUSTED_PROXIES": "1", "REDIS_URL": valkey.url}
    process = ForkedGateway(folder / "gateway.log", **environ)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def outside(gateway: GatewayProcess, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("nginx")
    authority, port = Authority(folder), free_port()
    certificate, key = authority.issue("proxy", "DNS:localhost")
    text = CONFIGURATION.read_text(encoding="utf-8")
    for pattern, here in (
        (r"listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        (r"listen 80", f"listen 127.0.0.1:{free_port()}"),
        (r"server_name renders\.example\.com;", "server_name localhost;"),
        (r"127\.0\.0\.1:8000", gateway.url.removeprefix("http://")),
        (r"/etc/letsencrypt/\S+/fullchain\.pem", str(certificate)),
        (r"/etc/letsencrypt/\S+/privkey\.pem", str(key)),
    ):
        text, count = re.subn(pattern, here, text)
        assert count, pattern
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; events {{}}\n"
        f"http {{ access_log off;\n{temporary}{text}\n}}\n"
    )
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    with Redis.from_url(valkey.url, decode_responses=True) as redis:
        secret = ApiKeys(redis).create("outside", ["admin"])
    proxy = Process(command, log=folder / "nginx.log")
    session = Outside(port, authority, secret)
    try:
        proxy.wait_until(lambda: _answers(session), what="nginx answers")
        yield session
    finally:
        session.close()
        proxy.stop()


def _answers(session: Outside) -> bool:
    try:
        return session.get(f"{session.at}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_events_arrive_as_they_happen(outside: Outside) -> None:
    made = outside.post(f"{outside.at}/v1/renders", json=a_request(), timeout=30)
    assert made.status_code == 202, made.text
    with outside.get(f"{outside.at}/v1/renders/{made.json()['id']}/events", stream=True, timeout=30) as answer:
        # The stream does not end, so a proxy that kept it back would show nothing.
        assert Stream(answer).take().data["state"] == "accepted"


def test_an_upload_beyond_the_usual_limit_of_a_proxy_goes_through(outside: Outside, tmp_path: Path) -> None:
    body = b"%PDF-1.7\n" + os.urandom(3 << 20) + b"\n%%EOF\n"
    sent = outside.post(
        f"{outside.at}/v1/uploads?name=slides.pdf",
        data=body,
        headers={"Content-Type": "application/pdf"},
        timeout=60,
    )
    assert sent.status_code == 201, sent.text
    assert sent.json()["bytes"] == len(body)


def test_figures_are_not_shown_outside(outside: Outside) -> None:
    assert outside.get(f"{outside.at}/metrics", timeout=30).status_code == 403


def test_a_login_sets_a_cookie_for_tls_alone_and_wrong_keys_lock_out_their_own_address(
    outside: Outside, gateway: GatewayProcess
) -> None:
    def log_in(key: str, **headers: str) -> requests.Response:
        with requests.Session() as browser:
            browser.trust_env, browser.verify = False, outside.verify
            page = browser.get(f"{outside.at}/login", timeout=30)
            token = re.search(r'name="form_token" value="([^"]+)"', page.text)
            assert token is not None, page.text
            return browser.post(
                f"{outside.at}/login",
                data={"form_token": token[1], "key": key},
                headers={"Origin": outside.at, **headers},
                timeout=30,
                allow_redirects=False,
            )

    right = str(outside.headers["Authorization"]).removeprefix("Bearer ")
    logged_in = log_in(right)
    assert logged_in.status_code == 303, logged_in.text
    assert "; Secure" in logged_in.headers["Set-Cookie"]
    # Another address in each call, which the proxy replaces.
    answers = [log_in("wrong", **{"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(11)]
    assert answers[0] == 401
    assert answers[-1] == 429
    until(lambda: "127.0.0.1" in gateway.output(), what="the log names the caller")
