"""Server-sent events: followed to the end, continued after a lost connection, bounded in number."""

import threading
import time

import pytest
import requests
from redis import Redis

from harness import Valkey, until
from harness.gateway import ForkedGateway, assert_problem
from harness.gateway_app import gateway_app
from renderline.gateway import EventStreams


@pytest.fixture(scope="module")
def gateway_options():
    return {"threads": 64}


def submit(ledger, one):
    """Take a render as far as `submitting`."""
    assert ledger.claim_submission(one, lease=20)


def fail(ledger, one):
    assert ledger.fail(one, code="50010", message="no credit", origin="vendor")


def test_a_render_is_followed_from_where_it_is_to_its_end(gateway, ledger):
    one, other = gateway.accept(), gateway.accept()
    with gateway.follow(f"/v1/renders/{one}/events") as stream:
        first = stream.take()
        assert (first.event, first.data["id"], first.data["state"]) == ("record", one, "accepted")
        submit(ledger, other)
        submit(ledger, one)
        change = stream.take()
        assert (change.event, change.data["id"], change.data["state"]) == ("change", one, "submitting")
        assert change.data["at"].endswith("Z")
        fail(ledger, one)
        rest = list(stream)
    assert [(event.event, event.data["state"]) for event in rest] == [("change", "failed"), ("record", "failed")]
    assert rest[-1].data["error"]["code"] == "50010"


def test_the_stream_of_an_ended_render_has_one_record(gateway, ledger):
    one = gateway.accept()
    fail(ledger, one)
    with gateway.follow(f"/v1/renders/{one}/events") as stream:
        assert [(event.event, event.data["state"]) for event in stream] == [("record", "failed")]


def test_a_stream_continues_after_the_last_event_id(gateway, ledger):
    one, other = gateway.accept(), gateway.accept()
    with gateway.follow(f"/v1/renders/{one}/events") as stream:
        seen = stream.take().id
    submit(ledger, one)
    submit(ledger, other)
    with gateway.follow(f"/v1/renders/{one}/events", after=seen) as stream:
        change = stream.take()
        assert (change.event, change.data["state"]) == ("change", "submitting")
    fail(ledger, one)
    with gateway.follow(f"/v1/renders/{one}/events", after=change.id) as stream:
        rest = list(stream)
    assert [(event.event, event.data["state"]) for event in rest] == [("change", "failed"), ("record", "failed")]
    # Browsers come back by themselves until the stream says that nothing more will come.
    last = {"Last-Event-ID": rest[-1].id}
    assert gateway.ask("GET", f"/v1/renders/{one}/events", headers=last).status_code == 204


def test_a_replay_does_not_stop_at_an_end_before_a_retry(gateway, ledger):
    one = gateway.accept()
    with gateway.follow(f"/v1/renders/{one}/events") as stream:
        seen = stream.take().id
    fail(ledger, one)
    assert gateway.ask("POST", f"/v1/renders/{one}/retry").status_code == 202
    with gateway.follow(f"/v1/renders/{one}/events", after=seen) as stream:
        states = [stream.take().data["state"], stream.take().data["state"]]
        assert states == ["failed", "accepted"]
        gateway.ask("POST", f"/v1/renders/{one}/cancel")
        assert [event.data["state"] for event in stream] == ["canceled", "canceled"]


def test_all_renders_are_followed_and_nothing_is_missed_between_two_streams(gateway, ledger):
    with gateway.follow("/v1/events") as stream:
        start = stream.take()
        assert (start.data, bool(start.id)) == (None, True)
        ids = [gateway.accept() for _ in range(3)]
        seen = [stream.take(), stream.take()]
    for one in ids:
        submit(ledger, one)
    with gateway.follow("/v1/events", after=seen[-1].id) as stream:
        seen += [stream.take() for _ in range(4)]
    announced = [(event.data["id"], event.data["state"]) for event in seen]
    assert announced == [(one, "accepted") for one in ids] + [(one, "submitting") for one in ids]
    assert len({event.id for event in seen}) == 6


def test_a_gap_is_reported(gateway, ledger, redis):
    with gateway.follow("/v1/events") as stream:
        stream.take()
        one = gateway.accept()
        seen = stream.take().id
    for _ in range(3):
        gateway.accept()
    redis.xtrim("renderline:events", maxlen=1, approximate=False)
    with gateway.follow("/v1/events", after=seen) as stream:
        assert stream.take().event == "gap"
        assert stream.take().data["state"] == "accepted"
    # A single render is sent as it is now.
    with gateway.follow(f"/v1/renders/{one}/events", after=seen) as stream:
        assert stream.take().event == "record"


@pytest.mark.parametrize("given", ["x", "1", "-", "1-", "99999999999999999999-0", "1-0, 2-0"])
def test_a_bad_last_event_id_is_refused(gateway, redis, given):
    answer = gateway.ask("GET", "/v1/events", headers={"Last-Event-ID": given})
    assert_problem(answer, 422, "Last-Event-ID")


@pytest.fixture
def small(valkey, tmp_path):
    """A gateway that has room for three streams: three quarters of its threads."""
    process = ForkedGateway(tmp_path / "gateway.log", threads=4, REDIS_URL=valkey.url)
    yield process
    process.stop()
    assert "Traceback" not in process.output()


def test_streams_are_bounded_and_leave_room_for_requests(small, redis):
    streams = [small.follow("/v1/events") for _ in range(3)]
    answer = small.ask("GET", "/v1/events")
    assert_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert small.submit({"kind": "film"}).status_code == 422
    # A reader that goes makes room, though no event happens.
    streams[0].response.close()

    def has_room():
        with requests.get(f"{small.url}/v1/events", stream=True, timeout=30) as opened:
            return opened.status_code == 200

    assert until(has_room, what="room for a stream")
    for stream in streams[1:]:
        stream.response.close()


def test_head_takes_no_stream(small, redis):
    for _ in range(5):
        assert small.ask("HEAD", "/v1/events").status_code == 200


def test_a_gateway_that_stops_ends_its_streams(valkey, tmp_path):
    gateway = ForkedGateway(tmp_path / "gateway.log", threads=4, REDIS_URL=valkey.url)
    with gateway.follow("/v1/events") as stream:
        stream.take()
        before = time.monotonic()
        ender = threading.Thread(target=gateway.stop)
        ender.start()
        assert list(stream) == []
        ender.join()
        # Gunicorn would wait thirty seconds for a stream that does not end by itself.
        assert time.monotonic() - before < 25
    assert "Traceback" not in gateway.output()


def test_heartbeats_are_sent_when_nothing_happens(valkey, redis):
    """In this process, because only here can the pause be made short."""
    app = gateway_app(redis, streams=EventStreams(limit=1, heartbeat=0.05))
    with app.test_client() as client:
        answer = client.get("/v1/events", buffered=False)
        parts = answer.iter_encoded()
        assert next(parts).startswith(b"id: ")
        assert [next(parts) for _ in range(3)] == [b": still here\n\n"] * 3
        assert client.get("/v1/events").status_code == 503
        answer.close()
        again = client.get("/v1/events", buffered=False)
        assert again.status_code == 200
        again.close()


def test_a_stream_ends_when_redis_goes(tmp_path, tmp_path_factory):
    with Valkey(tmp_path_factory.mktemp("own")) as own:
        gateway = ForkedGateway(tmp_path / "gateway.log", REDIS_URL=own.url)
        try:
            with gateway.follow("/v1/events") as stream:
                stream.take()
                own.process.kill()
                assert list(stream) == []
            assert_problem(gateway.ask("GET", "/v1/events"), 503)
            own.start()
            with gateway.follow("/v1/events") as stream, Redis.from_url(own.url) as client:
                assert stream.take().id
                assert client.ping()
        finally:
            gateway.stop()
        assert "Traceback" not in gateway.output()
