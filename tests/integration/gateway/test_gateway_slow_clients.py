"""Clients that are slow, silent or greedy: the gateway answers the others meanwhile, and ends what takes too long."""

import http.client
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness import until
from harness.gateway import ForkedGateway
from harness.hostile_clients import KINDS, HostileClients
from harness.ledger import LedgerDriver
from renderline.signed_urls.webhook_urls import WebhookUrls

KEY = "k" * 32
THREADS = 4
RENDER = "5f0c" * 8

OFTEN = 1.5
"""Seconds for a header, a body and an answer, so that the tests need not wait long."""


@pytest.fixture(scope="module")
def gateway_options():
    return {
        "threads": THREADS,
        "RENDERLINE_PUBLIC_URL": "http://127.0.0.1:1",
        "RENDERLINE_SECRET_KEY": KEY,
        "RENDERLINE_GATEWAY_HEADER_TIMEOUT": str(OFTEN),
        "RENDERLINE_GATEWAY_BODY_TIMEOUT": str(OFTEN),
        "RENDERLINE_GATEWAY_WRITE_TIMEOUT": str(OFTEN),
        "RENDERLINE_GATEWAY_CONNECTIONS": "200",
    }


@pytest.fixture
def webhook(redis):
    """The path of the webhook of a render that is rendering."""
    driver = LedgerDriver(redis)
    driver.accept(RENDER)
    claim = driver.claim(RENDER)
    driver.ledger.record_intent(claim, "create", lease=20)
    driver.ledger.start(claim, confirmed=True, project_id="p1", poll_in=500.0)
    return WebhookUrls("", KEY).url(RENDER, attempt=1, seconds=600)


def answers(gateway, webhook):
    """Assert that every kind of call is answered, each on a new connection; no worker runs, so nothing is ready."""
    calls = [("POST", webhook, 204), ("GET", "/healthz", 200), ("GET", "/readyz", 503), ("GET", "/v1/renders", 200)]
    for method, path, status in calls:
        body = {"progress": 5} if method == "POST" else None
        answer = requests.request(method, f"{gateway.url}{path}", json=body, timeout=5)
        assert answer.status_code == status, (path, answer.text)


@pytest.mark.parametrize("kind", KINDS)
def test_clients_that_hold_connections_hold_up_nobody(gateway, webhook, kind):
    with HostileClients(gateway.port, each=8 * THREADS, kinds=(kind,), drip=0.2) as hostile:
        for _ in range(3):
            answers(gateway, webhook)
        until(lambda: hostile.closed[kind] >= 8 * THREADS, what=f"the end of connections with {kind}")
        answers(gateway, webhook)


def test_more_connections_than_the_gateway_has_cost_those_that_wait_longest(gateway, webhook):
    with HostileClients(gateway.port, each=60, again=False) as hostile:
        assert sum(hostile.opened.values()) == 60 * len(KINDS)
        answers(gateway, webhook)
    answers(gateway, webhook)


def test_probes_and_webhooks_are_answered_while_every_thread_is_busy(own_valkey, tmp_path):
    """A call hangs with Redis for 2.5 seconds; /healthz asks no Redis, and a forged webhook does not either."""
    gateway = ForkedGateway(
        tmp_path / "gateway.log",
        threads=THREADS,
        REDIS_URL=own_valkey.url,
        RENDERLINE_PUBLIC_URL="http://127.0.0.1:1",
        RENDERLINE_SECRET_KEY=KEY,
    )
    forged = f"/webhooks/aistudios/{RENDER}/1.9999999999.{'a' * 64}"
    gateway.ask("GET", "/v1/renders")
    own_valkey.process.signal(signal.SIGSTOP)
    with ThreadPoolExecutor(3 * THREADS) as pool:
        try:
            busy = [pool.submit(requests.get, f"{gateway.url}/v1/renders", timeout=60) for _ in range(3 * THREADS)]
            time.sleep(0.3)
            before = time.monotonic()
            assert requests.get(f"{gateway.url}/healthz", timeout=5).status_code == 200
            assert requests.post(f"{gateway.url}{forged}", timeout=5).status_code == 404
            assert time.monotonic() - before < 1.5
            assert not any(call.done() for call in busy)
        finally:
            own_valkey.process.signal(signal.SIGCONT)
    gateway.stop()


def test_a_stop_answers_what_has_begun_and_waits_for_no_idle_client(valkey, redis, tmp_path):
    gateway = ForkedGateway(tmp_path / "gateway.log", threads=THREADS, REDIS_URL=valkey.url)
    line = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    line.putrequest("POST", "/v1/renders")
    line.putheader("Content-Type", "application/json")
    line.putheader("Content-Length", "17")
    line.endheaders(b'{"kind": ')
    with HostileClients(gateway.port, each=10, kinds=("idle", "half a header")):
        before = time.monotonic()
        ender = threading.Thread(target=gateway.stop)
        ender.start()
        until(lambda: not listens(gateway.port), what="the end of listening")
        line.send(b'"film" }')
        with line.getresponse() as answer:
            assert (answer.status, answer.getheader("Connection")) == (422, "close")
        ender.join()
        assert time.monotonic() - before < 10
    line.close()
    assert "Traceback" not in gateway.output()


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_the_rest_of_a_refused_body_is_not_waited_for_and_the_answer_arrives(gateway):
    """The client reads the answer only after it has sent a megabyte more than is allowed."""
    body = b"[" + b" " * (3 << 20)
    answer = requests.post(
        f"{gateway.url}/v1/renders", data=body, headers={"Content-Type": "application/json"}, timeout=10
    )
    assert answer.status_code == 413


def raw(gateway, request):
    """Send these bytes, and return everything that comes back until the connection is closed."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
        client.sendall(request)
        received = b""
        while part := client.recv(65536):
            received += part
    return received


def statuses(received):
    return [line.split()[1] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


SMUGGLED = b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/renders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
AMBIGUOUS = {
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + SMUGGLED,
    "twice the same length": POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "a list of lengths": POST + b"Content-Length: 0, 40\r\n\r\n" + SMUGGLED,
    "length and chunks": POST + b"Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two encodings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "an unknown encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a folded header": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a signed length": POST + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "a bad chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SMUGGLED,
    "two hosts": POST + b"Host: 127.0.0.2\r\nContent-Length: 0\r\n\r\n" + SMUGGLED,
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n" + SMUGGLED,
    "two keys": POST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n" + SMUGGLED,
    "a null byte": POST + b"X-A: a\x00b\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("request_", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_ambiguous_request_is_refused_and_what_follows_it_is_not_run(gateway, request_):
    assert statuses(raw(gateway, request_)) in ([b"400"], [])


def test_a_header_cannot_pose_as_another_variable(gateway):
    """With `SCRIPT_NAME` from outside a proxy that filters paths would see another path than the application."""
    spoofed = b"SCRIPT_NAME: /x\r\nScript-Name: /x\r\nPATH_INFO: /y\r\n\r\n"
    headers = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + spoofed
    assert statuses(raw(gateway, b"GET /x/v1/accounts" + headers)) == [b"404"]
    assert statuses(raw(gateway, b"GET /healthz" + headers)) == [b"200"]


def test_a_header_without_end_is_not_kept_in_memory(gateway):
    huge = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Huge: " + b"a" * (1 << 20)
    address = ("127.0.0.1", gateway.port)
    with socket.create_connection(address, timeout=10) as client, pytest.raises(OSError, match=r"reset|pipe"):
        client.sendall(64 * huge)
