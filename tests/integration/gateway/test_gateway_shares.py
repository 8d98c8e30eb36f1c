"""What one caller may take of the gateway: memory, threads, batches, calls and streams."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from harness import a_request, until
from harness.gateway import ForkedGateway, Stream, assert_problem
from renderline.gateway.api_keys import CACHED, ApiKeys
from renderline.gateway.problem import Problem
from renderline.gateway.shares import ACTIVE, BatchShares, CallShares

THREADS = 8
BATCH = "/v1/renders/batch"
MIB = 1 << 20


@pytest.fixture(scope="module")
def gateway_options():
    return {"threads": THREADS, "RENDERLINE_API_KEYS_REQUIRED": "true", "RENDERLINE_API_RATE": "40/minute"}


def bearing(key):
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


@pytest.fixture
def key(redis):
    return ApiKeys(redis).create("billing", ["submit", "read"])


def post(gateway, raw, key):
    return requests.post(f"{gateway.url}{BATCH}", data=raw, headers=bearing(key), timeout=30)


def children(process):
    """Return the ids of the gateway's processes."""
    return Path(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children").read_text().split()


def memory(process):
    """Return the most memory that the gateway has had so far, in bytes."""
    lines = [Path(f"/proc/{child}/status").read_text() for child in children(process)]
    return max(int(text.partition("VmHWM:")[2].split()[0]) for text in lines) * 1024


MANY = {
    "lists": b'{"requests": [' + b",".join([b"[]"] * (8 * MIB // 3 - 100)) + b"]}",
    "objects in one request": b'{"requests": [{"request": {"a": ['
    + b",".join([b"{}"] * (8 * MIB // 3 - 100))
    + b"]}}]}",
    "items": b'{"requests": [' + b",".join([b'{"request": {"kind": 1}}'] * 50_000) + b"]}",
}


@pytest.mark.parametrize("raw", MANY.values(), ids=MANY)
def test_a_large_batch_of_small_values_costs_little_memory_and_time(gateway, key, raw):
    post(gateway, b"{}", key)
    before, began = memory(gateway), time.monotonic()
    assert post(gateway, raw, key).status_code in (413, 422)
    assert time.monotonic() - began < 3
    assert memory(gateway) - before < 100 * MIB


def test_a_batch_of_large_scripts_passes(gateway, key):
    script = "One, two, three, [four], {five}. " * 15_000
    items = [{"request": a_request(script, key=f"k{number}")} for number in range(4)]
    answer = post(gateway, json.dumps({"requests": items}).encode(), key)
    assert answer.status_code == 202, answer.text[:500]


def test_a_batch_counts_as_its_requests(gateway, key):
    items = [{"request": {"kind": "film"}}] * 30
    raw = json.dumps({"requests": items}).encode()
    assert post(gateway, raw, key).status_code == 202
    refused = post(gateway, raw, key)
    assert_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert "30" in refused.json()["detail"]
    assert gateway.ask("GET", "/v1/renders", headers=bearing(key)).status_code == 200


def follow(gateway, key):
    return requests.get(f"{gateway.url}/v1/events", headers=bearing(key), stream=True, timeout=30)


def opened(gateway, key):
    """Open a stream, once those of the test before have ended."""
    return Stream(
        until(lambda: answer if (answer := follow(gateway, key)).status_code == 200 else None, what="a stream")
    )


def test_a_key_has_half_of_the_streams_and_a_tenant_three_quarters(gateway, redis, key):
    keys = ApiKeys(redis)
    second, other = keys.create("second", ["read"]), keys.create("acme", ["read"], tenant="acme")
    streams = [opened(gateway, key).response for _ in range(THREADS // 2)]
    refused = follow(gateway, key)
    assert_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) > 0
    streams += [follow(gateway, second) for _ in range(THREADS // 4)]
    assert [answer.status_code for answer in streams] == [200] * (3 * THREADS // 4)
    assert_problem(follow(gateway, second), 503)
    streams.append(follow(gateway, other))
    assert streams[-1].status_code == 200
    for answer in streams:
        answer.close()


def test_a_stream_ends_when_its_key_is_revoked(gateway, redis):
    keys = ApiKeys(redis)
    key, kept = keys.create("gone", ["read"]), keys.create("kept", ["read"])
    with opened(gateway, key) as stream, opened(gateway, kept) as other:
        stream.take()
        other.take()
        keys.revoke(key.split("_")[1])
        before = time.monotonic()
        assert list(stream) == []
        assert time.monotonic() - before < CACHED + 4
        gateway.ask("POST", "/v1/renders", a_request(), headers=bearing(keys.create("submits", ["submit"])))
        assert other.take().data["state"] == "accepted"


def test_a_tenant_has_half_of_the_threads_while_another_is_active():
    now = [0.0]
    shares = CallShares(4, clock=lambda: now[0])
    with shares.hold("a"), shares.hold("a"), shares.hold("a"), shares.hold("b"):
        with pytest.raises(Problem) as refused, shares.hold("a"):
            pass
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
        with shares.hold("b"):
            pass
        now[0] = ACTIVE
        with shares.hold("a"):
            pass


def test_batches_are_limited_in_number_and_bytes():
    shares = BatchShares(4, 1000)

    def status(tenant, size):
        try:
            with shares.hold(tenant, size):
                return 200
        except Problem as problem:
            return problem.status

    assert status("a", 5000) == 200
    with shares.hold("a", 400):
        assert [status("a", 101), status("b", 601), status("b", 600)] == [429, 503, 200]
        with shares.hold("a", 10):
            assert [status("a", 10), status("b", 10)] == [429, 200]
            with shares.hold("b", 10), shares.hold("c", 10):
                assert status("d", 10) == 503
    assert status("a", 1000) == 200


def test_calls_of_others_are_answered_while_one_tenant_takes_all_it_can(valkey, redis, tmp_path):
    """A flood of lists by one tenant is refused beyond its share; the other tenant's calls are all answered."""
    process = ForkedGateway(
        tmp_path / "gateway.log", threads=4, REDIS_URL=valkey.url, RENDERLINE_API_KEYS_REQUIRED="true"
    )
    keys = ApiKeys(redis)
    mine, theirs = keys.create("a", ["read"], tenant="a"), keys.create("b", ["read"], tenant="b")
    ended = threading.Event()

    def flood(_):
        statuses = set()
        with requests.Session() as session:
            while not ended.is_set():
                statuses.add(session.get(f"{process.url}/v1/renders", headers=bearing(mine), timeout=30).status_code)
        return statuses

    with ThreadPoolExecutor(12) as pool:
        flooding = [pool.submit(flood, number) for number in range(12)]
        answers = [process.ask("GET", "/v1/renders", headers=bearing(theirs)) for _ in range(20)]
        ended.set()
    assert {answer.status_code for answer in answers} == {200}
    assert set().union(*(future.result() for future in flooding)) <= {200, 429}
    process.stop()


def test_many_large_batches_at_once_do_not_fill_the_memory(gateway, redis):
    keys = [ApiKeys(redis).create(f"tenant {number}", ["submit"], tenant=f"t{number}") for number in range(4)]
    raw = b'{"requests": [{"request": {"kind": "' + b"a" * (8 * MIB - 100) + b'"}}]}'
    before = memory(gateway)
    statuses = []
    with ThreadPoolExecutor(24) as pool:
        for answer in pool.map(lambda number: attempt(gateway, raw, keys[number % 4]), range(24)):
            statuses.append(answer)
    assert set(statuses) <= {202, 429, 503, 0}
    assert statuses.count(202) > 0
    assert memory(gateway) - before < 500 * MIB
    assert until(lambda: gateway.ask("GET", "/healthz").ok, what="an answer")


def attempt(gateway, raw, key):
    try:
        return post(gateway, raw, key).status_code
    except requests.ConnectionError:
        return 0
