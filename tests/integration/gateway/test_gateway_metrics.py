"""/metrics of the gateway: what it says of the ledger and of itself, and to whom."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness import a_request
from harness.gateway import assert_problem
from harness.gateway_app import gateway_app
from harness.requests import record
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import Ledger


@pytest.fixture(scope="module")
def gateway_options():
    return {"RENDERLINE_API_KEYS_REQUIRED": "true"}


def scraped(gateway, **headers):
    answer = gateway.ask("GET", "/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def bearer(redis, *scopes, **options):
    return {"Authorization": f"Bearer {ApiKeys(redis).create('test', scopes, **options)}"}


def test_it_counts_requests_by_route_and_shows_no_path(gateway, redis):
    key = bearer(redis, "submit", "read")
    answer = gateway.ask("POST", "/v1/renders", a_request(name="Secret name"), headers=key)
    gateway.ask("GET", answer.headers["Location"], headers=key)
    gateway.ask("GET", "/no/such/path", headers=key)
    found = scraped(gateway)
    route = "/v1/renders/<render_id:render_id>"
    assert found["renderline_http_requests_total", (("method", "GET"), ("route", route), ("status", "200"))] == 1
    assert found["renderline_http_requests_total", (("method", "GET"), ("route", "none"), ("status", "404"))] >= 1
    assert found["renderline_http_request_duration_seconds_count", (("route", route),)] == 1
    assert found["renderline_ledger_up", ()] == 1
    assert found["process_cpu_seconds_total", ()] > 0
    text = str(found)
    assert "Secret" not in text
    assert "/no/such" not in text
    assert answer.json()["id"] not in text


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"x-forwarded-host": "localhost"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "127.0.0.1"},
        {"Host": "renders.example.com"},
        {"Host": "127.0.0.1.attacker.example"},
    ],
    ids=str,
)
def test_a_call_that_a_proxy_passed_on_needs_a_key(gateway, redis, header):
    assert_problem(gateway.ask("GET", "/metrics", headers=header), 401)
    scraped(gateway, **header, **bearer(redis, "operator"))


@pytest.mark.parametrize(
    ("scopes", "options"),
    [(["read"], {}), (["submit", "read", "admin"], {}), (["admin"], {"tenant": "globex"})],
    ids=str,
)
def test_a_key_of_a_tenant_gets_nothing(gateway, redis, scopes, options):
    """Its own figures are those of all tenants too."""
    assert_problem(gateway.ask("GET", "/metrics", headers=bearer(redis, *scopes, **options)), 403)


def test_a_key_for_metrics_is_for_nothing_else(gateway, redis):
    key = bearer(redis, "metrics")
    scraped(gateway, **key)
    paths = gateway.ask("GET", "/openapi.json", headers=bearer(redis, "read")).json()["paths"]
    of_all = [path for path, ways in paths.items() if "get" in ways and "{" not in path and path.startswith("/v1/")]
    assert len(of_all) > 5
    assert {path: gateway.ask("GET", path, headers=key).status_code for path in of_all} == dict.fromkeys(of_all, 403)
    assert_problem(gateway.ask("POST", "/v1/renders", a_request(), headers=key), 403)


@pytest.mark.parametrize(
    ("scopes", "options"),
    [(["metrics", "read"], {}), (["metrics"], {"tenant": "globex"}), (["metrics"], {"accounts": ["default"]})],
    ids=str,
)
def test_a_key_for_metrics_stands_alone(redis, scopes, options):
    with pytest.raises(ValueError, match="for /metrics alone"):
        ApiKeys(redis).create("prometheus", scopes, **options)


def test_a_wrong_key_gets_nothing_even_on_this_machine(gateway):
    assert_problem(gateway.ask("GET", "/metrics", headers={"Authorization": "Bearer nonsense"}), 401)


def test_it_is_no_part_of_the_api(gateway, redis):
    assert "/metrics" not in gateway.ask("GET", "/openapi.json", headers=bearer(redis, "read")).json()["paths"]


def test_the_renders_of_the_ledger_are_a_gauge_by_state_kind_and_account(redis):
    ledger = Ledger(redis)
    for one in ("1" * 32, "2" * 32):
        record(ledger, one, a_request(), account="default")
    text = gateway_app(redis, ledger=ledger).test_client().get("/metrics").text
    assert 'renderline_renders{account="default",kind="project",state="accepted"} 2.0\n' in text
