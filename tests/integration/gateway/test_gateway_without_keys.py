"""A gateway without API keys: reached from its own machine only, and by no page of another site."""

import os
import subprocess

import pytest

from config.settings import SettingsError, load
from harness import ROOT, a_request, free_port
from harness.gateway import assert_problem, gateway_command
from harness.gateway_app import gateway_app

OFF = {"RENDERLINE_API_KEYS_REQUIRED": "false"}


@pytest.mark.parametrize("bind", ["0.0.0.0:8000", "192.0.2.1:8000", "[::]:8000", "gateway.example:8000"])
def test_the_setting_of_another_address_is_refused(bind):
    with pytest.raises(SettingsError, match=r"RENDERLINE_GATEWAY_BIND=.*RENDERLINE_API_KEYS_REQUIRED=false"):
        load({**OFF, "RENDERLINE_GATEWAY_BIND": bind}, role="gateway")
    load({"RENDERLINE_GATEWAY_BIND": bind}, role="gateway")


@pytest.mark.parametrize("bind", ["127.0.0.1:8000", "[::1]:8000", "localhost:8000"])
def test_an_address_of_this_machine_is_taken(bind):
    load({**OFF, "RENDERLINE_GATEWAY_BIND": bind}, role="gateway")


@pytest.mark.parametrize("options", [[], ["--worker-class", "gthread"]], ids=["ours", "gthread"])
def test_an_option_of_the_server_that_binds_elsewhere_is_refused(valkey, options):
    """It stops before it has accepted a connection."""
    command = gateway_command(free_port(), threads=4)
    command[command.index("--bind") + 1] = f"0.0.0.0:{free_port()}"
    environ = {**os.environ, **OFF, "REDIS_URL": valkey.url, "AISTUDIOS_V2_SECRET_KEY": "k" * 20}
    ended = subprocess.run(
        [*command[:-1], *options, command[-1]], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode != 0
    assert "RENDERLINE_API_KEYS_REQUIRED=false" in ended.stderr
    assert "--bind" in ended.stderr or "own option" in ended.stderr


def refused(gateway, method, path, **headers):
    body = a_request() if method == "POST" else None
    answer = gateway.ask(method, path, body, headers={name.replace("_", "-"): text for name, text in headers.items()})
    return assert_problem(answer, 403)["detail"]


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example", "[::ffff:192.0.2.1]", "x:y"],
)
def test_another_host_is_refused(gateway, host):
    for method, path in (("GET", "/v1/renders"), ("POST", "/v1/renders"), ("GET", "/docs")):
        assert "RENDERLINE_API_KEYS_REQUIRED" in refused(gateway, method, path, Host=host)


def test_metrics_are_for_this_machine_too(gateway):
    assert gateway.ask("GET", "/metrics").status_code == 200
    refused(gateway, "GET", "/metrics", Host="attacker.example")


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:1", "", "http://[", "file://"])
def test_a_page_of_another_origin_is_refused(gateway, redis, origin):
    refused(gateway, "POST", "/v1/renders", Origin=origin)
    refused(gateway, "GET", "/v1/events", Origin=origin)
    assert redis.zcard("renderline:renders") == 0


def test_a_page_of_another_site_posts_nothing(gateway, redis):
    refused(gateway, "POST", "/v1/renders", Sec_Fetch_Site="cross-site")


def test_programs_and_pages_of_this_machine_are_served(gateway, redis):
    for host in ("127.0.0.1", "localhost", "[::1]", f"localhost:{gateway.port}", f"127.0.0.1:{gateway.port}"):
        assert gateway.ask("GET", "/v1/renders", headers={"Host": host}).status_code == 200
        own = {"Host": host, "Origin": f"http://{host}"}
        assert gateway.ask("POST", "/v1/renders", a_request(), headers=own).status_code == 202


def test_probes_and_webhooks_have_any_host(gateway):
    probe = {"Host": "probe.internal"}
    assert gateway.ask("GET", "/healthz", headers=probe).status_code == 200
    # No worker runs here.
    assert gateway.ask("GET", "/readyz", headers=probe).json()["checks"]["redis"] == "ok"
    webhook = f"/webhooks/aistudios/{'0' * 32}/1.9999999999.{'a' * 64}"
    assert gateway.ask("POST", webhook, headers={"Host": "renders.example.com"}).status_code == 404


def test_another_machine_is_refused_under_any_server(redis):
    client = gateway_app(redis).test_client()
    other = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/v1/renders", environ_overrides=other).status_code == 403
    assert client.get("/healthz", environ_overrides=other).status_code == 200
    assert client.get("/v1/renders").status_code == 200
