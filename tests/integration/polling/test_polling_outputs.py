"""A render with several outputs, and one with two paid stages, polled against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.local_worker import LocalWorker
from renderline.ledger import Commands
from renderline.polling.download_url import DownloadUrlRefresh

KO, JA = "ko-KR", "ja-JP"


def dubbing(words: str) -> dict[str, Any]:
    return {"kind": "dubbing", "url": f"https://videos.example.com/{words}", "targets": [KO, JA]}


def test_outputs_are_recorded_as_they_come_and_durations_are_learnt(local_worker: LocalWorker) -> None:
    one = local_worker.accept(dubbing(f"one-[sandbox:stuck@{JA}]"), "d1", deadline=3.0)
    record = local_worker.poll_until(one, "completed", "delivered", progress=71.0)
    # One is done, the other stands at 42.
    assert record["state"] == "rendering"
    assert [(output["language"], output["state"]) for output in record["outputs"]] == [
        (KO, "completed"),
        (JA, "rendering"),
    ]
    record = local_worker.poll_until(one, "delivered", "expired", "failed")
    assert (record["state"], record["progress"]) == ("delivered", 100)
    assert [output["state"] for output in record["outputs"]] == ["completed", "expired"]
    assert record["download_url"] == record["outputs"][0]["download_url"]
    assert local_worker.redis.llen(local_worker.ledger.keys.durations("main", "dubbing")) == 1


def test_a_fresh_link_is_asked_for_each_output(local_worker: LocalWorker) -> None:
    record = local_worker.poll_until(local_worker.accept(dubbing("links"), "d2"), "delivered")
    refresh = DownloadUrlRefresh(local_worker.ledger, local_worker.accounts)
    for output in record["outputs"]:
        asked = {**record, "download_url": "https://old", "output": output["project_id"]}
        assert refresh(asked) == output["download_url"]
    assert refresh({**record, "output": None}) is None
    # The render's own link is no business of another output.
    assert local_worker.record("d2")["download_url"] == record["download_url"]


def test_a_retry_forgets_the_outputs_of_the_attempt_before(local_worker: LocalWorker) -> None:
    one = local_worker.accept(dubbing("again-[sandbox:fail]"), "d3")
    record = local_worker.poll_until(one, "failed")
    assert [output["state"] for output in record["outputs"]] == ["failed", "failed"]
    local_worker.redis.hset(local_worker.ledger.keys.render(one), "stored_outputs", json.dumps({"0": "file:///old"}))
    assert Commands(local_worker.ledger).retry(one)
    assert local_worker.record(one)["outputs"] == []
    assert local_worker.redis.hget(local_worker.ledger.keys.render(one), "stored_outputs") is None


@pytest.mark.parametrize(("fault", "generations"), [("drop-before@generate", 1), ("drop@generate", 2)])
def test_a_setting_has_only_the_stage_without_a_trace_repeated(
    new_local_worker: Any, fault: str, generations: int
) -> None:
    worker = new_local_worker(resubmit_after=0.5)
    one = worker.accept({"kind": "topic_video", "topic": f"Setting. [sandbox:{fault}]"}, "g1")
    record = worker.poll_until(one, "delivered", seconds=20)
    assert (record["stage"], record["attempt"]) == ("export", 1)
    charges = worker.sandbox.control("GET", "charges")["started"]
    assert (charges["generation"], charges["export"]) == (generations, 1)


def test_an_export_without_a_trace_is_repeated_by_that_setting_and_no_generation(new_local_worker: Any) -> None:
    worker = new_local_worker(resubmit_after=0.5)
    one = worker.accept({"kind": "topic_video", "topic": "Setting. [sandbox:drop-before@export]"}, "g2")
    worker.poll_until(one, "delivered", seconds=20)
    charges = worker.sandbox.control("GET", "charges")["started"]
    assert (charges["generation"], charges["export"]) == (1, 1)


def test_a_stage_that_comes_after_the_deadline_is_not_paid_for(local_worker: LocalWorker) -> None:
    one = local_worker.accept({"kind": "topic_video", "topic": "Held up."}, "g3")
    local_worker.poll_until(one, "rendering")
    local_worker.poll_until(one, "submitting")
    # It waited for its account.
    key = local_worker.ledger.keys.render(one)
    local_worker.redis.hset(key, "deadline_at", "1000.000")
    local_worker.submit(one)
    record = local_worker.record(one)
    assert (record["state"], record["error"]["code"], record["stage"]) == ("failed", "deadline", "baseline")
    assert local_worker.sandbox.control("GET", "charges")["started"]["export"] == 0
    assert Commands(local_worker.ledger).retry(one, resume_at=lambda _: "baseline")
    assert local_worker.poll_until(one, "delivered")["project_id"] == record["project_id"]
    started = local_worker.sandbox.control("GET", "charges")["started"]
    assert (started["generation"], started["export"]) == (1, 1)
