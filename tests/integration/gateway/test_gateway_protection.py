"""API keys, rate limits, and a Redis that is unavailable for a while."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery
from redis import Redis

from harness import a_request
from harness.gateway import ForkedGateway, GatewayProcess, assert_problem
from renderline.acceptance import Acceptor, Item
from renderline.dispatcher import Dispatcher
from renderline.gateway.api_keys import ApiKeys
from renderline.ledger import Ledger
from renderline.tenants import COMMAND_LINE
from tasks.publisher import CeleryPublisher


@pytest.fixture
def guarded(valkey, redis, tmp_path):
    process = ForkedGateway(
        tmp_path / "gateway.log",
        REDIS_URL=valkey.url,
        RENDERLINE_API_KEYS_REQUIRED="true",
        RENDERLINE_API_RATE="100/second;20/minute",
    )
    yield process
    process.stop()
    assert "Traceback" not in process.output()


@pytest.fixture(scope="module")
def gateway_options(own_valkey):
    return {"REDIS_URL": own_valkey.url}


def bearing(key):
    return {"Authorization": f"Bearer {key}"}


def test_a_key_allows_what_its_scope_covers_and_is_not_logged(guarded, redis):
    keys = ApiKeys(redis)
    submit, read = keys.create("billing", ["submit"]), keys.create("board", ["read"])
    nobody = guarded.ask("POST", "/v1/renders", a_request())
    assert_problem(nobody, 401)
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
    assert_problem(guarded.ask("POST", "/v1/renders", a_request(), headers=bearing(submit[:-1] + "x")), 401)
    assert_problem(guarded.ask("POST", "/v1/renders", a_request(), headers=bearing(read)), 403)
    accepted = guarded.ask("POST", "/v1/renders", a_request(), headers=bearing(submit))
    assert accepted.status_code == 202
    assert_problem(guarded.ask("GET", accepted.headers["Location"], headers=bearing(submit)), 403)
    assert guarded.ask("GET", accepted.headers["Location"], headers=bearing(read)).status_code == 200
    log = guarded.output()
    assert "caller=billing" in log
    assert not any(key.split("_", 2)[2] in log for key in (submit, read))


def test_pages_and_health_need_no_key(guarded):
    for path in ("/healthz", "/openapi.json", "/docs"):
        assert guarded.ask("GET", path).status_code == 200
    # No worker runs here.
    assert guarded.ask("GET", "/readyz").json()["checks"]["redis"] == "ok"


def test_calls_are_counted_by_key(guarded, redis):
    keys = ApiKeys(redis)
    busy, idle = (keys.create(name, ["read"]) for name in ("busy", "idle"))

    def ask(key):
        return guarded.ask("GET", "/v1/renders", headers=bearing(key))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [busy] * 30))
    assert sorted({answer.status_code for answer in answers}) == [200, 429]
    assert sum(answer.status_code == 200 for answer in answers) == 20
    refused = ask(busy)
    assert_problem(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert ask(idle).status_code == 200


def test_a_gateway_without_keys_logs_a_warning(gateway):
    assert "API keys are off" in gateway.output()


CALLS = [
    ("POST", "/v1/renders", a_request()),
    ("POST", "/v1/renders/batch", {"requests": [{"request": a_request(), "key": "k"}]}),
    ("POST", "/v1/renders/batch", {"requests": [{"request": a_request(), "key": "k"}], "all_or_nothing": True}),
    ("GET", "/v1/renders", None),
    ("GET", f"/v1/renders/{'0' * 32}", None),
    ("GET", f"/v1/renders/{'0' * 32}/events", None),
    ("GET", "/v1/events", None),
    ("GET", "/v1/dead-letters", None),
    ("POST", f"/v1/renders/{'0' * 32}/cancel", None),
    ("POST", "/v1/accounts/default/pause", None),
]


def assert_unavailable(answer):
    assert_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_command_that_redis_refuses_is_not_called_an_outage(gateway, own_valkey):
    with Redis.from_url(own_valkey.url) as redis:
        redis.set("renderline:paused", "no set")
        answer = gateway.ask("POST", "/v1/accounts/default/pause")
        redis.delete("renderline:paused")
    assert_unavailable(answer)
    assert "Redis refused a command" in answer.json()["detail"]
    assert "WRONGTYPE" not in answer.text
    assert "WRONGTYPE" in gateway.output()


def test_without_redis_every_call_gets_503_and_works_afterwards(gateway, own_valkey):
    one = gateway.accept(key="before")
    own_valkey.process.kill()
    try:
        for method, path, body in CALLS:
            assert_unavailable(gateway.ask(method, path, body))
        assert_problem(gateway.submit(a_request(kind="film")), 422, "kind")
        assert gateway.ask("GET", "/readyz").status_code == 503
        assert gateway.ask("GET", "/healthz").status_code == 200
    finally:
        own_valkey.start()
    assert gateway.accept(key="before") == one
    assert gateway.ask("GET", "/readyz").json()["checks"]["redis"] == "ok"


def test_a_call_to_a_hanging_redis_times_out_in_seconds(gateway, own_valkey):
    gateway.accept()
    own_valkey.process.signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            for answer in pool.map(lambda _: gateway.submit(a_request(), key="hanging"), range(4)):
                assert_unavailable(answer)
        # Twice the timeout of one call to Redis, plus what a busy machine adds.
        assert time.monotonic() - before < 20
        assert gateway.ask("GET", "/healthz").status_code == 200
    finally:
        own_valkey.process.signal(signal.SIGCONT)
    assert gateway.accept(key="hanging")


def test_a_gateway_starts_without_redis(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway.log", REDIS_URL="redis://:a-password@127.0.0.1:1/0")
    try:
        assert_unavailable(gateway.submit(a_request()))
        assert gateway.ask("GET", "/docs").status_code == 200
    finally:
        gateway.stop()
    assert "Traceback" not in gateway.output()
    assert "a-password" not in gateway.output()


def test_a_recorded_request_is_accepted_though_the_broker_is_unavailable(redis):
    """The sweep sends the message later."""
    app = Celery("gateway", broker="redis://127.0.0.1:1/0")
    app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    ledger = Ledger(redis)
    publisher = CeleryPublisher(app)
    acceptor = Acceptor(ledger, Dispatcher(publisher, ledger), ("default",), {}, 60.0, 10_000)
    one = acceptor.accept(a_request(), key=None, message_id="m1", actor=COMMAND_LINE)
    (two,) = acceptor.accept_all([Item(a_request(), key=None, message_id="m2")], actor=COMMAND_LINE, together=True)
    assert [record["state"] for record in ledger.records([one, two])] == ["accepted", "accepted"]
    with pytest.raises(OSError, match="broker did not take"):
        publisher.submit([(one, "normal")])
    app.close()
