"""A render of a kind that only a later version knows is left to its workers, without a failure or a traceback."""

from __future__ import annotations

from harness.ledger import accept_render
from renderline.retry import RetryIn
from renderline.submission.outcome import NotMyTurn


def test_a_submission_is_offered_again(new_local_worker, caplog):
    worker = new_local_worker()
    accept_render(worker.ledger, "r1", kind="hologram", body='{"body":{}}')
    assert isinstance(worker.submit("r1"), RetryIn)
    record = worker.record("r1")
    assert (record["state"], record["error"]) == ("submitting", None)
    assert record["note"] == "its kind hologram is not known to this worker"
    assert isinstance(worker.submit("r1"), RetryIn | NotMyTurn)
    assert worker.seen() == []


def test_a_poll_counts_nothing(new_local_worker, capsys):
    worker = new_local_worker()
    worker.accept({"kind": "simple_video", "payload": SIMPLE}, "r1")
    worker.submit("r1")
    worker.redis.hset(f"{worker.ledger.prefix}render:r1", "kind", "hologram")
    (wake,) = [worker.wakes.pop() for _ in range(len(worker.wakes))][:1]
    worker._pump(wake)
    assert "Traceback" not in capsys.readouterr().out
    assert (worker.record("r1")["polls"], worker.record("r1")["state"]) == (0, "rendering")
    worker.redis.hset(f"{worker.ledger.prefix}render:r1", "kind", "simple_video")
    assert worker.poll_until("r1", "delivered", "failed")["state"] == "delivered"


SIMPLE = {"language": "en", "text": "Hello.", "model": "M000045058", "clothes": "BG00002320"}
