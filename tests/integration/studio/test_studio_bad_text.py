"""Half a surrogate pair in the vendor's text, as JavaScript's substring leaves of an emoji, harms nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from harness.fake_vendor import Answer, Call, FakeVendor, failure, success
from harness.local_worker import LocalWorker
from renderline.acceptance import check_key
from renderline.ledger import PollResult
from renderline.requests import RequestRefused
from renderline.studio.response import decode

HALF = "\ud83d"
GOOD = ["g0", "g1", "g2", "g3"]


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor(render_seconds=0.2) as one:
        yield one


@pytest.fixture
def local_worker(redis: Redis, vendor: FakeVendor) -> Iterator[Any]:
    made = LocalWorker(redis, vendor)
    yield made
    made.close()


def bad(call: Call) -> bool:
    project = call.vendor.projects.get(call.key or "")
    return "[bad]" in json.dumps(call.body) or (project is not None and "[bad]" in project.name)


@pytest.mark.parametrize(
    ("where", "end"),
    [
        ({"progress": 100, "state": "exported", "downloadUrl": f"http://127.0.0.1:1/f-{HALF}.mp4"}, "delivered"),
        ({"progress": 60, "state": "failed", "error": {"code": 1, "msg": f"cannot say {HALF}"}}, "failed"),
        ({"progress": 60, "state": "failed", "error": {"code": HALF, "msg": "\x00\x1b[31m"}}, "failed"),
    ],
    ids=["url", "message", "code"],
)
def test_a_bad_text_does_not_keep_its_neighbours_from_being_recorded(
    local_worker: Any, vendor: FakeVendor, examples: Any, where: dict[str, Any], end: str
) -> None:
    def override(call: Call) -> Answer | None:
        return success(where) if call.name == "progress" and bad(call) else None

    vendor.override = override
    for one in ("bad", *GOOD):
        local_worker.accept({**examples("compact-landscape.json"), "account": "main", "hooks": []}, one)
    local_worker.run_all(["bad", *GOOD], seconds=60)
    assert [local_worker.record(one)["state"] for one in GOOD] == ["delivered"] * 4
    record = local_worker.record("bad")
    assert record["state"] == end
    json.dumps(record, ensure_ascii=False).encode()
    assert [vendor.exports_of(one) for one in ("bad", *GOOD)] == [1] * 5


def test_a_refusal_with_a_bad_text_ends_the_render(local_worker: Any, vendor: FakeVendor, examples: Any) -> None:
    def override(call: Call) -> Answer | None:
        return failure(400, "40002", f"script too long: Hello {HALF}...") if call.name == "draft" else None

    vendor.override = override
    local_worker.accept({**examples("compact-landscape.json"), "account": "main", "hooks": []}, "bad")
    local_worker.submit("bad")
    record = local_worker.record("bad")
    assert (record["state"], record["error"]["code"]) == ("failed", "40002")
    assert "script too long" in record["error"]["message"]


def test_a_poll_result_that_the_script_refuses_takes_no_other_with_it(driver: Any) -> None:
    due_polls = {due_poll.id: due_poll for due_poll in driver.claim_due_polls(driver.start_all("bad", *GOOD))}
    deep: Any = []
    for _ in range(2000):
        deep = [deep]
    results = [PollResult(one, due_poll.epoch, "done", url="https://v/1.mp4") for one, due_poll in due_polls.items()]
    results[0] = PollResult(results[0].id, results[0].epoch, "wait", credit=deep)
    moved = driver.ledger.record_poll_results(results)
    assert sorted(one for one, _ in moved) == sorted(each.id for each in results[1:])
    assert driver.score_in("due:main", results[0].id) is not None, "polled again"
    assert driver.record(results[0].id)["note"]


@pytest.mark.parametrize("wrong", [{"progress": "x"}, {"poll_in": "x"}])
def test_a_poll_result_that_makes_no_sense_is_polled_again(driver: Any, wrong: dict[str, Any]) -> None:
    due_polls = {due_poll.id: due_poll for due_poll in driver.claim_due_polls(driver.start_all("bad", *GOOD))}
    bad_one = due_polls.pop("bad")
    results = [PollResult(one, due_poll.epoch, "done", url="https://v/1.mp4") for one, due_poll in due_polls.items()]
    results.insert(2, PollResult("bad", bad_one.epoch, **{"status": "wait", "poll_in": 1.0, **wrong}))
    assert sorted(one for one, _ in driver.ledger.record_poll_results(results)) == GOOD
    assert driver.score_in("due:main", "bad") is not None, "polled again"


@pytest.mark.parametrize("text", [HALF, f"a{HALF}b", "\udc00\ud83d"])
def test_what_is_written_to_the_ledger_is_text(driver: Any, text: str) -> None:
    driver.complete()
    claim = driver.ledger.claim_hook("r1", 0, lease=20.0)
    state = driver.ledger.record_hook(
        "r1", 0, claim, outcome="delivered", error=text, fields={"stored_url": f"file:///{text}"}
    )
    assert state == "delivered"
    assert driver.record()["stored_url"].startswith("file:///")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'{"a": "\\ud83d"}', {"a": "\ufffd"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": "\xed\xa0\xbd"}', {"a": "\ufffd"}),
        (b'{"\\ud83d": ["\\u0000", {"b": "line\\nbreak\\u001b"}]}', {"\ufffd": ["\ufffd", {"b": "line\nbreak\ufffd"}]}),
        ('{"a": "größer"}'.encode(), {"a": "größer"}),
    ],
)
def test_the_vendors_text_is_cleaned_where_it_comes_in(sent: bytes, read: dict[str, Any]) -> None:
    assert decode(sent) == read


def test_a_key_that_is_no_text_is_refused_with_words() -> None:
    with pytest.raises(RequestRefused):
        check_key(HALF)
