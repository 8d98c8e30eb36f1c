"""The health routes, while Redis is up, hangs or is gone, and while nobody works; and a gateway with bad settings."""

import signal
import time

import pytest
from redis import Redis

from harness import ROOT, Server, free_port
from harness.gateway import gateway_command
from renderline.capabilities import account, queue
from renderline.contract import QUEUES
from renderline.ledger import Ledger


@pytest.fixture(scope="module")
def gateway_options(own_valkey):
    return {"threads": 4, "REDIS_URL": own_valkey.url}


@pytest.fixture(autouse=True, scope="module")
def works(own_valkey):
    """Workers have announced that they take messages of every queue."""
    with Redis.from_url(own_valkey.url, decode_responses=True) as redis:
        Ledger(redis).announce_capabilities([*map(queue, QUEUES), account("default")])


def test_not_ready_when_nobody_works(gateway, own_valkey):
    with Redis.from_url(own_valkey.url, decode_responses=True) as redis:
        ledger = Ledger(redis)
        redis.delete(ledger.keys.capabilities)
        nobody = gateway.ask("GET", "/readyz")
        # Workers of an earlier version announce no queues.
        ledger.announce_capabilities([account("default")])
        earlier = gateway.ask("GET", "/readyz")
        ledger.announce_capabilities([queue("submit"), queue("poll"), queue("requests")])
        no_hooks = gateway.ask("GET", "/readyz")
        ledger.announce_capabilities([queue("hooks")])
    assert (nobody.status_code, nobody.json()["checks"]["redis"]) == (503, "ok")
    assert nobody.json()["checks"]["workers"] == "no live worker takes messages of requests, submit, poll, hooks"
    assert int(nobody.headers["Retry-After"]) > 0
    assert earlier.status_code == 200
    assert no_hooks.json()["checks"]["workers"] == "no live worker takes messages of hooks"


def test_alive_and_ready(gateway):
    assert gateway.ask("GET", "/healthz").json() == {"status": "ok"}
    ready = gateway.ask("GET", "/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "checks": {"redis": "ok", "workers": "ok"}})
    assert ready.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("path", "method", "status"), [("/nowhere", "GET", 404), ("/healthz", "POST", 405)])
def test_errors_are_problem_documents(gateway, path, method, status):
    answer = gateway.ask(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert ("Allow" in answer.headers) is (status == 405)


def assert_not_ready(answer):
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert "Redis" in answer.json()["detail"]
    assert set(answer.json()["checks"]) == {"redis"}


def test_not_ready_while_redis_is_gone_and_ready_again_after(gateway, own_valkey):
    own_valkey.process.kill()
    try:
        assert_not_ready(gateway.ask("GET", "/readyz"))
        assert gateway.ask("GET", "/healthz").status_code == 200
    finally:
        own_valkey.start()
    assert gateway.ask("GET", "/readyz").status_code == 200


def test_not_ready_within_a_second_when_redis_hangs(gateway, own_valkey):
    own_valkey.process.signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        assert_not_ready(gateway.ask("GET", "/readyz"))
        # Any other call would time out after 2.5 s.
        assert time.monotonic() - before < 2.4
    finally:
        own_valkey.process.signal(signal.SIGCONT)
    assert gateway.ask("GET", "/readyz").status_code == 200


def test_bad_settings_end_the_gateway_with_every_reason(tmp_path):
    environ = {"RENDERLINE_SUBMIT": "twice", "RENDERLINE_PUBLIC_URL": "https://renders.example.com"}
    port = free_port()
    gateway = Server(gateway_command(port, threads=4), port=port, log=tmp_path / "gateway.log", environ=environ)
    assert gateway.popen.wait(60) != 0
    assert "RENDERLINE_SUBMIT='twice': must be two_phase or direct" in gateway.output()
    assert "RENDERLINE_SECRET_KEY is missing" in gateway.output()
    assert "Traceback" not in gateway.output()


def test_the_procfile_starts_this_same_command():
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("gateway:"))
    assert '"workers.gateway:create()"' in line
    assert "--no-control-socket" in line
