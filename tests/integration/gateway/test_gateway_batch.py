"""Many requests in one call: each by itself, or all or none."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import a_request
from harness.gateway import assert_problem
from renderline import contract

BATCH = "/v1/renders/batch"


@pytest.fixture(scope="module")
def gateway_options():
    return {"RENDERLINE_MAX_REQUEST_BYTES": "65536"}


def post(gateway, *items, **fields):
    return gateway.ask("POST", BATCH, {"requests": list(items), **fields})


def item(script="Hello.", *, key=None, **fields):
    return {"request": a_request(script, **fields), **({"key": key} if key else {})}


def renders(redis):
    return redis.zcard("renderline:renders")


def messages(redis):
    return sum(redis.llen(key) for key in redis.scan_iter("submit*"))


def test_a_thousand_are_accepted_published_and_answered_in_order(gateway, redis):
    answer = post(gateway, *(item(f"Take {number}.", key=f"k{number}") for number in range(1000)))
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (1000, 0)
    ids = [contract.render_id_for_key(f"k{number}") for number in range(1000)]
    assert [result["id"] for result in body["results"]] == ids
    assert [result["index"] for result in body["results"]] == list(range(1000))
    assert {result["status"] for result in body["results"]} == {202}
    assert gateway.ask("GET", body["results"][999]["location"]).json()["id"] == ids[999]
    # One after the other: only so many submissions of one account are queued at a time.
    assert (renders(redis), messages(redis)) == (1000, 8)
    assert redis.zcard("renderline:parked:default") == 992


def test_each_request_has_its_own_result(gateway, redis):
    gateway.accept(a_request("Another."), key="taken")
    answer = post(
        gateway, item(), item(kind="film"), item(key="taken"), item("Another.", key="taken"), item(deadline=0)
    )
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (2, 3)
    assert [result["status"] for result in body["results"]] == [202, 422, 409, 202, 422]
    assert [error["path"] for error in body["results"][1]["errors"]] == ["kind"]
    assert [error["path"] for error in body["results"][2]["errors"]] == ["key"]
    assert body["results"][3]["id"] == contract.render_id_for_key("taken")
    assert renders(redis) == 2


def test_all_or_nothing_with_a_bad_one_accepts_none_and_names_all_that_is_wrong(gateway, redis):
    answer = post(gateway, item(), item(kind="film"), item(deadline=0, priority="urgent"), all_or_nothing=True)
    paths = ("requests.1.request.kind", "requests.2.request.deadline", "requests.2.request.priority")
    assert_problem(answer, 422, *paths)
    assert (renders(redis), messages(redis)) == (0, 0)


def test_all_or_nothing_with_a_conflict_accepts_none(gateway, redis):
    gateway.accept(a_request("Another."), key="taken")
    answer = post(
        gateway, item(), item(key="taken"), item(key="twice"), item("Else.", key="twice"), all_or_nothing=True
    )
    assert_problem(answer, 409, "requests.1.key", "requests.3.key")
    assert renders(redis) == 1


def test_all_or_nothing_accepts_all_and_can_be_repeated(gateway, redis):
    items = [item(f"Take {number}.", key=f"k{number % 5}" if number < 5 else None) for number in range(10)]
    first = post(gateway, *items, all_or_nothing=True).json()
    assert first["accepted"] == 10
    again = post(gateway, *items[:5], all_or_nothing=True).json()
    assert [result["id"] for result in again["results"]] == [result["id"] for result in first["results"][:5]]
    assert renders(redis) == 10


def test_two_batches_with_the_same_keys_do_not_mix(gateway, redis):
    """Each of the two takes either all of the keys, or none."""
    ready = threading.Barrier(2)

    def take(script):
        items = [item(script, key=f"k{number}") for number in range(200)]
        ready.wait()
        return post(gateway, *(items if script == "One." else items[::-1]), all_or_nothing=True).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, ("One.", "Two."))) == [202, 409]
    assert renders(redis) == 200


@pytest.mark.parametrize("key", ["nightly", "x" * 255], ids=["short", "longest"])
def test_a_key_of_the_whole_call_makes_it_repeatable(gateway, redis, key):
    body = {"requests": [item("One."), item("Two."), item("Three.", key="own")]}
    answers = [gateway.ask("POST", BATCH, body, headers={"Idempotency-Key": key}) for _ in range(2)]
    assert [answer.json()["refused"] for answer in answers] == [0, 0]
    first, second = ([result["id"] for result in answer.json()["results"]] for answer in answers)
    assert first == second
    assert first[2] == contract.render_id_for_key("own")
    assert renders(redis) == 3


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ([], ["request"]),
        ({}, ["requests"]),
        ({"requests": []}, ["requests"]),
        ({"requests": {}}, ["requests"]),
        ({"requests": [{}] * 1001}, ["requests"]),
        ({"requests": [a_request()]}, [f"requests.0.{name}" for name in ("kind", "scenes", "request")]),
        ({"requests": [7, {"request": {}, "key": 7}]}, ["requests.0", "requests.1.key"]),
        ({"requests": [item(key="x" * 256)]}, ["requests.0.key"]),
        ({"requests": [item(key="\ud800")]}, ["requests.0.key"]),
        ({"requests": [item()], "all_or_nothing": "yes"}, ["all_or_nothing"]),
        ({"requests": [item()], "all": True}, ["all"]),
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(gateway, redis, body, paths):
    answer = gateway.ask("POST", BATCH, data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, *paths)
    assert renders(redis) == 0


def test_a_batch_may_be_eight_times_as_large_as_a_request(gateway, redis):
    large = item("x" * 50_000)
    assert post(gateway, *[large] * 10).json()["accepted"] == 10
    assert_problem(post(gateway, *[large] * 11), 413)


def test_a_request_too_large_for_itself_is_refused_alone(gateway, redis):
    body = post(gateway, item("x" * 70_000), item()).json()
    assert [result["status"] for result in body["results"]] == [422, 202]


def test_requests_as_deep_as_alone_are_taken(gateway, redis):
    deep = {}
    for _ in range(61):
        deep = {"d": deep}
    assert gateway.submit(a_request(metadata=deep)).status_code == 202
    assert post(gateway, item(metadata=deep)).json()["accepted"] == 1
    deeper = {"d": {"d": {"d": {"d": deep}}}}
    assert_problem(gateway.submit(a_request(metadata=deeper)), 400)
    assert_problem(post(gateway, item(metadata=deeper)), 400)
